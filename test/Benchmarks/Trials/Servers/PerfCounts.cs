using System.Globalization;
using LoopBridge.Benchmarks.Processes;

namespace LoopBridge.Benchmarks.Trials.Servers;

/// <summary>Counts a process's system calls with perf-stat(1) for as long as another program runs: its load.</summary>
internal sealed class PerfCounts(int pid) : IDisposable
{
    private const string AllCalls = "raw_syscalls:sys_enter";
    private const string OneCall = "syscalls:sys_enter_";

    private readonly string _file = Path.GetTempFileName();

    /// <summary>What the load's command line is to begin with.</summary>
    public IReadOnlyList<string> Command =>
        [Tool.Perf.Program, "stat", "-x", ",", "-o", _file, "-e", string.Join(',', Events), "-p", $"{pid}", "--"];

    /// <summary>Whether it came to anything.</summary>
    public bool HasCounted => Counts().ContainsKey(SystemCallGroups.Total);

    private static IEnumerable<string> Events
        => [AllCalls, .. SystemCallGroups.All.SelectMany(group => group.Calls).Select(call => OneCall + call)];

    /// <summary>Counts by the name of the call.</summary>
    public IReadOnlyDictionary<string, long> Read()
        => HasCounted ? Counts() : throw new MeasurementException($"perf counted nothing:\n{File.ReadAllText(_file)}");

    public void Dispose() => File.Delete(_file);

    private Dictionary<string, long> Counts()
    {
        var counts = new Dictionary<string, long>();
        foreach (string line in File.ReadLines(_file))
        {
            // 123456,,syscalls:sys_enter_futex,1000,100.00,,
            string[] fields = line.Split(',');
            if (fields.Length > 2 && long.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out long count))
                counts[fields[2] == AllCalls ? SystemCallGroups.Total : fields[2].Replace(OneCall, "", StringComparison.Ordinal)] = count;
        }

        return counts;
    }
}
