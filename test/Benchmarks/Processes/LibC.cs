using System.Runtime.InteropServices;

namespace LoopBridge.Benchmarks.Processes;

/// <summary>What .NET has no call for around child processes.</summary>
internal static partial class LibC
{
    public const int SigTerm = 15;

    /// <summary>_SC_CLK_TCK in glibc's and musl's bits: the unit of the times in /proc (sysconf(3), proc(5)).</summary>
    private const int ClockTicks = 2;

    public static long TicksPerSecond { get; } = SysConf(ClockTicks);

    [LibraryImport("libc", EntryPoint = "kill")]
    public static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "sysconf")]
    private static partial nint SysConf(int name);
}
