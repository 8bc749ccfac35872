using System.Globalization;
using LoopBridge.Benchmarks.Processes;

namespace LoopBridge.Benchmarks.Servers;

/// <summary>What the kernel says about a process and the machine in /proc (proc(5)).</summary>
internal static class ProcFile
{
    /// <summary>Where utime stands in /proc/PID/stat, counted from the field after the command (number 3); stime follows.</summary>
    private const int UserTime = 14 - 3;

    /// <summary>The two times of a process itself, and those of its children that have ended (cutime, cstime).</summary>
    private const int OwnAndChildrensTimes = 4;

    /// <summary>
    /// User and system time of all its threads since it began, in seconds. By its clock, not by the ticks of /proc/PID/stat: short
    /// measurements alternate better, and a tick is a fiftieth of half a second.
    /// </summary>
    public static double CpuSeconds(int pid) => LibC.ProcessCpuSeconds(pid) ?? throw Gone(pid);

    /// <summary>The same with that of its children, as far as they have ended.</summary>
    public static double CpuSecondsWithChildren(int pid) => Seconds(StatFields(pid).AsSpan(UserTime, OwnAndChildrensTimes));

    /// <summary>What all cores did since the machine started, in seconds; what a hypervisor took (steal) counts as done.</summary>
    public static double MachineCpuSeconds()
    {
        // cpu  user nice system idle iowait irq softirq steal guest guest_nice; the guests' are in user and nice already.
        string[] fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return Seconds(fields.AsSpan(1, 3)) + Seconds(fields.AsSpan(6, 3));
    }

    /// <summary>The most it ever had resident, in MiB.</summary>
    public static double PeakMemoryMiB(int pid) => StatusNumber(pid, "status", "VmHWM:") / 1024.0;

    /// <summary>Bytes it has resident that are of no file: heaps, stacks, what the compiler made.</summary>
    public static long PrivateBytes(int pid) => StatusNumber(pid, "status", "RssAnon:") * 1024;

    /// <summary>How often a thread gave its processor up to wait for something.</summary>
    public static long VoluntarySwitches(int pid, int thread) => StatusNumber(pid, $"task/{thread}/status", "voluntary_ctxt_switches:");

    private static long StatusNumber(int pid, string file, string field)
    {
        // A process that has ended but is not yet waited for still has the file, without any word on memory.
        string line = Array.Find(Read(pid, file).Split('\n'), l => l.StartsWith(field, StringComparison.Ordinal)) ?? throw Gone(pid);
        return Number(line[field.Length..].Replace("kB", "", StringComparison.Ordinal));
    }

    private static string[] StatFields(int pid)
    {
        string stat = Read(pid, "stat");

        // The command may itself hold spaces and parentheses; only the last one closes it.
        return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
    }

    private static string Read(int pid, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{file}");
        }
        catch (IOException)
        {
            // No such file (ENOENT), or no such process (ESRCH) when it ends between the opening and the reading.
            throw Gone(pid);
        }
    }

    private static MeasurementException Gone(int pid) => new($"Process {pid} ended during the measurement.");

    private static double Seconds(ReadOnlySpan<string> ticks)
    {
        long sum = 0;
        foreach (string number in ticks)
            sum += Number(number);
        return (double)sum / LibC.TicksPerSecond;
    }

    private static long Number(string text) => long.Parse(text.AsSpan().Trim(), CultureInfo.InvariantCulture);
}
