using System.Runtime.InteropServices;

namespace LoopBridge.Benchmarks.Processes;

/// <summary>What .NET has no call for around processes and threads.</summary>
internal static partial class LibC
{
    public const int SigInt = 2;
    public const int SigTerm = 15;

    /// <summary>_SC_CLK_TCK in glibc's and musl's bits: the unit of the times in /proc (sysconf(3), proc(5)).</summary>
    private const int ClockTicks = 2;

    /// <summary>CLOCK_THREAD_CPUTIME_ID (clock_gettime(2)).</summary>
    private const int ThreadCpuTime = 3;

    public static long TicksPerSecond { get; } = SysConf(ClockTicks);

    [LibraryImport("libc", EntryPoint = "kill")]
    public static partial int Kill(int pid, int signal);

    /// <summary>The calling thread's number, as /proc/PID/task and strace take it.</summary>
    [LibraryImport("libc", EntryPoint = "gettid")]
    public static partial int ThreadId();

    /// <summary>What the calling thread has had of a processor: a neighbour's share is not in it.</summary>
    public static unsafe double ThreadCpuNanoseconds()
    {
        // struct timespec: on 64-bit systems two words, seconds and nanoseconds. The call cannot fail with a clock every kernel has.
        long* time = stackalloc long[2];
        _ = ClockGetTime(ThreadCpuTime, time);
        return (time[0] * 1e9) + time[1];
    }

    /// <summary>
    /// What all threads of a process have had of the processors, user and system, to the nanosecond; null if there is no such process.
    /// </summary>
    public static unsafe double? ProcessCpuSeconds(int pid)
    {
        int clock;
        long* time = stackalloc long[2];
        return GetCpuClock(pid, &clock) == 0 && ClockGetTime(clock, time) == 0 ? time[0] + (time[1] / 1e9) : null;
    }

    [LibraryImport("libc", EntryPoint = "clock_getcpuclockid")]
    private static unsafe partial int GetCpuClock(int pid, int* clock);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static unsafe partial int ClockGetTime(int clock, long* time);

    [LibraryImport("libc", EntryPoint = "sysconf")]
    private static partial nint SysConf(int name);
}
