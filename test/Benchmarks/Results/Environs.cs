using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Serialization;

namespace LoopBridge.Benchmarks.Results;

/// <summary>What the figures were measured on; without it they mean nothing.</summary>
internal sealed record Environs
{
    public required string Cpu { get; init; }

    public required int Cores { get; init; }

    public required string Kernel { get; init; }

    public required string Runtime { get; init; }

    /// <summary>Processes that wanted a core in the minute before (proc(5)): above a few tenths, others were at work.</summary>
    public required string LoadBefore { get; init; }

    /// <summary>Where the load came from.</summary>
    public string Place => "client beside the server, over loopback";

    public required string Date { get; init; }

    public required string CommandLine { get; init; }

    public required IReadOnlyList<string> Sides { get; init; }

    /// <summary>For one line on a page.</summary>
    [JsonIgnore]
    public string Summary => $"{Cores} cores ({Cpu}), Linux {Kernel.Split(',')[0]}, {Runtime[..Runtime.LastIndexOf(' ')]}, {Place}; {Date}";

    public static Environs Read(params IEnumerable<string> sides) => new()
    {
        Cpu = CpuModel(),
        Cores = Environment.ProcessorCount,
        Kernel = $"{File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}, {RuntimeInformation.OSDescription}",
        Runtime = $"{RuntimeInformation.FrameworkDescription} {RuntimeInformation.RuntimeIdentifier}",
        LoadBefore = File.ReadAllText("/proc/loadavg").Split(' ')[0],
        Date = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture),
        CommandLine = string.Join(' ', Environment.GetCommandLineArgs().Skip(1).Select(Quoted).Prepend("Benchmarks")),
        Sides = [.. sides],
    };

    public void Print(TextWriter output)
    {
        output.WriteLine($"CPU      {Cpu}, {Cores} cores, load before {LoadBefore}");
        output.WriteLine($"Kernel   {Kernel}");
        output.WriteLine($"Runtime  {Runtime}");
        output.WriteLine($"Load     {Place}");
        output.WriteLine($"Date     {Date}");
        output.WriteLine($"Command  {CommandLine}");
        foreach (string side in Sides)
            output.WriteLine($"Side     {side}");
    }

    private static string Quoted(string argument) => argument.Contains(' ', StringComparison.Ordinal) ? $"\"{argument}\"" : argument;

    // "model name" on x86; ARM kernels give numbers only.
    private static string CpuModel()
        => File.ReadLines("/proc/cpuinfo")
            .Where(line => line.StartsWith("model name", StringComparison.Ordinal))
            .Select(line => line.Split(':', 2)[1].Trim())
            .FirstOrDefault(RuntimeInformation.ProcessArchitecture.ToString());
}
