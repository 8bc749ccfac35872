using LoopBridge.Loops;
using LoopBridge.Processes;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Streams;

namespace LoopBridge.Transport.Tests.Processes;

/// <summary>A contract test with child processes: whatever comes, none outlives it.</summary>
public abstract class ProcessContract : LoopContract
{
    private readonly Lock _gate = new();

    static ProcessContract() => RuntimeWarmUp.Run();

    protected ProcessContract() => SkipUnless(OperatingSystem.IsLinux(), "the children are Linux programs");

    protected static ReadOnlyMemory<byte> NewLine { get; } = "\n"u8.ToArray();

    /// <summary>A shell that runs the script, all three streams piped.</summary>
    protected static LoopProcessStartInfo Shell(string script, params string[] arguments) => new("sh", ["-c", script, "sh", .. arguments])
    {
        StandardInput = ProcessRedirect.Pipe,
        StandardOutput = ProcessRedirect.Pipe,
        StandardError = ProcessRedirect.Pipe,
    };

    /// <summary>Starts a child that is killed at the test's end, if it still runs then. Loop thread.</summary>
    protected LoopProcess Start(IEventLoop loop, LoopProcessStartInfo info)
    {
        LoopProcess process = LoopProcess.Start(loop, info, Log.CreateLogger("process"));
        KillAtEnd(process);
        return process;
    }

    /// <summary>Nothing of a child may outlive the test, whatever becomes of that.</summary>
    protected void KillAtEnd(LoopProcess process)
    {
        lock (_gate)
        {
            Own(new Guard(process)); // from several loops
        }
    }

    /// <summary>All that the child writes, when it has closed its output.</summary>
    protected static async Task<string> OutputOfAsync(LoopProcess process) => (await process.StandardOutput!.ReadUntilCloseAsync()).Text();

    private sealed class Guard(LoopProcess process) : IDisposable
    {
        public void Dispose()
        {
            process.Kill();
            process.StandardInput?.Abort();
            process.StandardOutput?.Abort();
            process.StandardError?.Abort();
            if (!process.HasExited)
            {
                SpinWait.SpinUntil(() => process.HasExited, Deadline.Default);
            }
        }
    }
}
