using System.Runtime.InteropServices;

namespace LoopBridge.Interop;

internal static unsafe partial class LibC
{
    internal const int SIGTERM = 15;
    internal const int SIGKILL = 9;

    // The same on every architecture .NET runs on (include/uapi/asm-generic/unistd.h). The C library's own wrappers are younger than many a
    // C library in use.
    private const int SYS_pidfd_send_signal = 424;
    private const int SYS_pidfd_open = 434;

    private const int P_PIDFD = 3;
    private const int WNOHANG = 1;
    private const int WEXITED = 4;
    private const int CLD_EXITED = 1;

    // siginfo_t as a child's end fills it, the same in every 64-bit Linux ABI: signo, errno, code, padding, pid, uid, status.
    private const int SignalInfoSize = 128;
    private const int SignalInfoCode = 2;
    private const int SignalInfoPid = 4;
    private const int SignalInfoStatus = 6;

    /// <summary>A descriptor that stands for a process and becomes readable at its end; close-on-exec, pidfd_open(2), Linux 5.3.</summary>
    internal static PosixResult PidFdOpen(int pid) => PosixResult.Of(syscall(SYS_pidfd_open, pid, 0, 0, 0));

    /// <summary>Sends a signal to exactly that process, never to a later one with its number, pidfd_send_signal(2).</summary>
    internal static PosixResult PidFdSendSignal(int pidFd, int signal)
        => PosixResult.Of(syscall(SYS_pidfd_send_signal, pidFd, signal, 0, 0));

    /// <summary>Sends a signal, kill(2).</summary>
    internal static PosixResult Kill(int pid, int signal) => PosixResult.Of(kill(pid, signal));

    /// <summary>
    /// Takes the exit status of one child and of no other, waitid(2). The value is the process id, or zero while the child runs;
    /// <paramref name="status"/> is its exit code, or the negative number of the signal that ended it.
    /// </summary>
    internal static PosixResult Reap(int pidFd, out int status)
    {
        int* info = stackalloc int[SignalInfoSize / sizeof(int)];
        info[SignalInfoPid] = 0;
        PosixResult result = PosixResult.Of(waitid(P_PIDFD, pidFd, info, WEXITED | WNOHANG));
        status = info[SignalInfoCode] == CLD_EXITED ? info[SignalInfoStatus] : -info[SignalInfoStatus];
        return result.IsOk ? PosixResult.Of(info[SignalInfoPid]) : result;
    }

    /// <summary>Waits for the end of one child and drops its status, waitpid(2). For a child that was just killed.</summary>
    internal static PosixResult WaitForEnd(int pid) => PosixResult.Of(waitpid(pid, null, 0));

    // Variable arguments are passed like fixed ones of register size on x64 and arm64 Linux.
    [LibraryImport(Library, SetLastError = true)]
    private static partial nint syscall(nint number, nint first, nint second, nint third, nint fourth);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int kill(int pid, int signal);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int waitid(int idType, int id, int* info, int options);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int waitpid(int pid, int* status, int options);
}
