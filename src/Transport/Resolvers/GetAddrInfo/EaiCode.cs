using System.ComponentModel;

namespace LoopBridge.Resolvers;

/// <summary>What getaddrinfo(3) returns, and what it means here (D-23). The numbers are Linux's, the same in glibc and musl.</summary>
internal static class EaiCode
{
    public const int BadFlags = -1;
    public const int NoName = -2;
    public const int Again = -3;
    public const int Fail = -4;
    public const int NoData = -5;
    public const int Family = -6;
    public const int SockType = -7;
    public const int Service = -8;
    public const int AddrFamily = -9;
    public const int Memory = -10;
    public const int SystemError = -11;
    public const int Overflow = -12;
    public const int IdnEncode = -105;

    // errno(3), as on every Linux that .NET runs on.
    private const int EAgain = 11, ENoMem = 12, ENFile = 23, EMFile = 24, ENoBufs = 105, ETimedOut = 110, EConnRefused = 111;

    public static LookupOutcome ToOutcome(int code, int errno) => code switch
    {
        NoName => LookupOutcome.Failed(NameResolutionFailure.NotFound),
        NoData or Family or AddrFamily => LookupOutcome.Failed(NameResolutionFailure.NoAddress),
        Again => LookupOutcome.Failed(NameResolutionFailure.ServerFailure, isTransient: true),
        Fail => LookupOutcome.Failed(NameResolutionFailure.ServerFailure),
        IdnEncode => LookupOutcome.Failed(NameResolutionFailure.InvalidName),
        Memory => LookupOutcome.Failed(NameResolutionFailure.Busy, isTransient: true),
        SystemError => FromErrno(errno),

        // BadFlags, SockType, Service and Overflow answer to arguments that we do not pass; a later code is unknown to us.
        _ => LookupOutcome.Failed(NameResolutionFailure.ServerFailure),
    };

    // With EAI_SYSTEM the reason is in errno: most often a name service module or its socket ran into a limit.
    private static LookupOutcome FromErrno(int errno)
    {
        Win32Exception inner = new(errno);
        return errno switch
        {
            EAgain or ENoMem or ENFile or EMFile or ENoBufs => LookupOutcome.Failed(NameResolutionFailure.Busy, true, inner),
            ETimedOut => LookupOutcome.Failed(NameResolutionFailure.Timeout, true, inner),
            EConnRefused => LookupOutcome.Failed(NameResolutionFailure.NoServers, true, inner),
            _ => LookupOutcome.Failed(NameResolutionFailure.ServerFailure, true, inner),
        };
    }
}
