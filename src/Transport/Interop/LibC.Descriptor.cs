using System.Runtime.InteropServices;

namespace LoopBridge.Interop;

internal static unsafe partial class LibC
{
    private const int EFD_CLOEXEC = 0x80000;
    private const int EFD_NONBLOCK = 0x800;
    private const int F_GETFD = 1;
    private const int F_SETFD = 2;
    private const int F_GETFL = 3;
    private const int F_SETFL = 4;
    private const int F_DUPFD_CLOEXEC = 1030;
    private const int FD_CLOEXEC = 1;
    private const int RLIMIT_NOFILE = 7;
    private const int O_NONBLOCK = 0x800;

    internal static PosixResult EventFd() => PosixResult.Of(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));

    /// <summary>
    /// Adds one to the counter; EAGAIN at its ceiling of 2^64 - 2 means the reader is certainly awake already (eventfd(2)).
    /// </summary>
    internal static PosixResult EventFdSignal(int descriptor)
    {
        ulong one = 1;
        return PosixResult.Of(write(descriptor, (byte*)&one, sizeof(ulong)));
    }

    internal static PosixResult Close(int descriptor) => PosixResult.Of(close(descriptor));

    /// <summary>Another number for the same open file, which child processes do not get.</summary>

    /// <summary>Sets <c>O_NONBLOCK</c>, keeping the other status flags, fcntl(2).</summary>
    internal static PosixResult SetNonBlocking(int descriptor)
    {
        PosixResult flags = PosixResult.Of(fcntl(descriptor, F_GETFL, 0));
        return flags.IsOk ? PosixResult.Of(fcntl(descriptor, F_SETFL, flags.Value | O_NONBLOCK)) : flags;
    }

    /// <summary>A copy that does not survive into child processes, numbered <paramref name="lowest"/> or above, fcntl(2).</summary>
    internal static PosixResult Duplicate(int descriptor, int lowest = 0) => PosixResult.Of(fcntl(descriptor, F_DUPFD_CLOEXEC, lowest));

    /// <summary>Keeps a descriptor that was inherited from going on into child processes, or lets it, fcntl(2).</summary>
    internal static PosixResult SetCloseOnExec(int descriptor, bool on) => PosixResult.Of(fcntl(descriptor, F_SETFD, on ? FD_CLOEXEC : 0));

    /// <summary>Whether a child process would inherit the descriptor; fails for a number that is not open, fcntl(2).</summary>
    internal static PosixResult IsInheritable(int descriptor, out bool inheritable)
    {
        PosixResult flags = PosixResult.Of(fcntl(descriptor, F_GETFD, 0));
        inheritable = flags.IsOk && (flags.Value & FD_CLOEXEC) == 0;
        return flags;
    }

    /// <summary>How many descriptors the process may have: one more than the highest number, getrlimit(2).</summary>
    internal static PosixResult DescriptorLimit(out long limit)
    {
        nuint* pair = stackalloc nuint[2];
        PosixResult result = PosixResult.Of(getrlimit(RLIMIT_NOFILE, pair));
        limit = (long)Math.Min(pair[0], int.MaxValue);
        return result;
    }

    [LibraryImport(Library, SetLastError = true)]
    private static partial int getrlimit(int resource, nuint* pair);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int fcntl(int fd, int command, int argument);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int eventfd(uint initial, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint write(int fd, byte* buffer, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int close(int fd);
}
