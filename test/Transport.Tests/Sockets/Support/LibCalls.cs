using System.Runtime.InteropServices;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>Calls of the C library that only tests need.</summary>
internal static partial class LibCalls
{
    internal const int ShutBoth = 2;
    internal const int LimitOfFiles = 7;

    [LibraryImport("libc", EntryPoint = "shutdown")]
    internal static partial int Shutdown(int descriptor, int how);

    [LibraryImport("libc", EntryPoint = "listen")]
    internal static partial int Listen(int descriptor, int backlog);

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    internal static partial int GetLimit(int resource, out Limit limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    internal static partial int SetLimit(int resource, in Limit limit);

    [LibraryImport("libc", EntryPoint = "dup")]
    internal static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "dup2")]
    internal static partial int DuplicateOnto(int descriptor, int target);

    [LibraryImport("libc", EntryPoint = "close")]
    internal static partial int Close(int descriptor);

    [StructLayout(LayoutKind.Sequential)]
    internal struct Limit
    {
        internal ulong Soft;
        internal ulong Hard;
    }
}
