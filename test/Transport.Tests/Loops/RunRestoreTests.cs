using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>A run leaves its thread as it found it.</summary>
public sealed class RunRestoreTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-CORE-15")]
    public void Start_WhenItReturns_ThreadIsAsBefore(LoopStack stack)
    {
        var ambient = new AsyncLocal<string?> { Value = "before" };
        var context = new SynchronizationContext();
        IEventLoop loop = NewLoop(stack, makeCurrent: false);
        SynchronizationContext.SetSynchronizationContext(context);
        string[] signals = SignalState();
        for (int i = 0; i < 3; i++)
        {
            // Posted work brings no ambient context of its own, so what it changes is the thread's.
            loop.SynchronizationContext.Post(_ => ambient.Value = "changed", null);
            loop.AddCallback(static () => SynchronizationContext.SetSynchronizationContext(null));
            loop.RunTurns(2);
            Assert.Equal("before", ambient.Value);
            Assert.Same(context, SynchronizationContext.Current);
            Assert.Equal(signals, SignalState());
            Assert.False(loop.IsOnLoopThread);
        }
    }

    [Theory, LoopStacks]
    [Contract("L-CORE-15")]
    public async Task Start_BeforeDuringAndAfter_WakesOnlyWhoRuns(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        int ran = 0;
        for (int i = 1; i <= 3; i++)
        {
            // Woken while nobody runs: the next run finds the work, and is not woken for it again.
            await Task.Run(() => loop.AddCallback(() => ran++), TestContext.Current.CancellationToken).WithDeadline();
            loop.RunTurns(1);
            Assert.Equal(i, ran);
        }
    }

    // What this thread blocks, and what the process ignores and catches, in the kernel's own words (proc_pid_status(5)).
    private static string[] SignalState() => OperatingSystem.IsLinux()
        ? [.. File.ReadLines("/proc/thread-self/status").Where(static line => line.StartsWith("Sig", StringComparison.Ordinal) && line[3] != 'Q' && line[3] != 'P')]
        : [];
}
