using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using LoopBridge.Testing;

namespace LoopBridge.Middleware.Tests.Sample;

/// <summary>The sample as a process of its own, on dynamic ports: for signals, exit codes and limits.</summary>
internal sealed partial class SampleProcess : IAsyncDisposable
{
    private static readonly string[] Names = ["Chat", "Echo", "Greeter", "Http2", "Https", "Web"];

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly List<Uri> _addresses = [];
    private readonly List<(string Part, TaskCompletionSource Seen)> _awaited = [];
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private SampleProcess(string? shell, string[] arguments)
    {
        string dll = Path.Combine(AppContext.BaseDirectory, "WebApp.dll");
        string[] all = [dll, .. Names.Select(name => $"--Kestrel:Endpoints:{name}:Url={(name == "Https" ? "https" : "http")}://127.0.0.1:0"),
            "--Logging:LogLevel:Microsoft.Hosting.Lifetime=Information", "--Logging:Console:FormatterName=simple", .. arguments];
        ProcessStartInfo start = shell is null
            ? new ProcessStartInfo("dotnet", all)
            : new ProcessStartInfo("bash", ["-c", $"{shell}; exec dotnet \"$@\"", "sample", .. all]);
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => OnLine(line.Data);
        _process.ErrorDataReceived += (_, line) => OnLine(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    internal string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>CPU time used so far, in clock ticks: proc(5), fields 14 and 15 of <c>stat</c>.</summary>
    internal long CpuTicks
    {
        get
        {
            string stat = File.ReadAllText($"/proc/{_process.Id}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Starts it and waits until it listens on every endpoint.</summary>
    internal static async Task<SampleProcess> StartAsync(string? shell = null, params string[] arguments)
    {
        var process = new SampleProcess(shell, arguments);
        try
        {
            await process._started.Task.WithDeadline();
            return process;
        }
        catch
        {
            await process.DisposeAsync(); // not what the test wanted; nothing may stay behind
            throw;
        }
    }

    /// <summary>Starts one that is expected to fail, and gives its exit code and what it said.</summary>
    internal static async Task<(int ExitCode, string Output)> RunToEndAsync(params string[] arguments)
    {
        await using var process = new SampleProcess(null, arguments);
        int code = await process.WaitForExitAsync();
        return (code, process.Output);
    }

    /// <summary>Ends when a line with this in it has been printed, before or after the call.</summary>
    internal Task WaitForLineAsync(string part)
    {
        lock (_output)
        {
            if (_output.ToString().Contains(part, StringComparison.Ordinal))
            {
                return Task.CompletedTask;
            }

            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((part, seen));
            return seen.Task;
        }
    }

    internal IPEndPoint EndPoint(string name) => new(IPAddress.Loopback, _addresses[Array.IndexOf(Names, name)].Port);

    internal async Task TerminateAsync()
    {
        using Process kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync().WithDeadline();
    }

    internal async Task<int> WaitForExitAsync()
    {
        await _process.WaitForExitAsync().WithDeadline();
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        TestContext.Current.TestOutputHelper?.WriteLine(Output); // shown where a test fails
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync().WithDeadline();
        }

        _process.Dispose();
    }

    /// <summary>A port of the loopback that nobody has at present.</summary>
    internal static Socket TakePort()
    {
        var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        return taken;
    }

    private void OnLine(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_output)
        {
            _output.AppendLine(line);
            foreach ((string part, TaskCompletionSource seen) in _awaited)
            {
                if (line.Contains(part, StringComparison.Ordinal))
                {
                    seen.TrySetResult();
                }
            }
        }

        if (Listening().Match(line) is { Success: true } match)
        {
            _addresses.Add(new Uri(match.Groups[1].Value));
        }
        else if (line.Contains("Application started", StringComparison.Ordinal))
        {
            _started.TrySetResult();
        }
    }

    [GeneratedRegex("Now listening on: (\\S+)")]
    private static partial Regex Listening();
}
