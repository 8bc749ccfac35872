using System.Globalization;
using LoopBridge.Benchmarks.Processes;

namespace LoopBridge.Benchmarks.Servers;

/// <summary>What the kernel says about a process in /proc (proc(5)).</summary>
internal static class ProcFile
{
    /// <summary>Positions of utime and stime counted from the field after the command's closing parenthesis, which is number 3.</summary>
    private const int UserTimeField = 14 - 3;
    private const int SystemTimeField = 15 - 3;

    /// <summary>User and system time of all its threads since it began, in seconds.</summary>
    public static double CpuSeconds(int pid)
    {
        string stat = File.ReadAllText($"/proc/{pid}/stat");

        // The command may itself hold spaces and parentheses; only the last one closes it.
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        long ticks = Number(fields[UserTimeField]) + Number(fields[SystemTimeField]);
        return (double)ticks / LibC.TicksPerSecond;
    }

    /// <summary>The most it ever had resident, in MiB.</summary>
    public static double PeakMemoryMiB(int pid)
    {
        const string Field = "VmHWM:";
        string line = File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith(Field, StringComparison.Ordinal));
        return Number(line[Field.Length..].Replace("kB", "", StringComparison.Ordinal)) / 1024.0;
    }

    private static long Number(string text) => long.Parse(text, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
}
