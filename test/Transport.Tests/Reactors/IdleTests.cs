using LoopBridge.Drivers;
using LoopBridge.Reactors;
using LoopBridge.Testing;
using Microsoft.Win32.SafeHandles;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>How often the bottom of a stack wakes up. Each time it does, it waits again, so waits are counted.</summary>
public sealed class IdleTests : ReactorContract
{
    private static readonly TimeSpan Span = TimeSpan.FromMilliseconds(60);

    private IReactor? _timekeeper;

    [Theory, ReactorStacks]
    [Contract("R-INV-06"), Contract("R-TIME-16"), Contract("R-FD-22")]
    public async Task Idle_NothingIsPending_SleepsAllTheTime(ReactorStack stack)
    {
        SafeFileHandle file = Own(File.OpenHandle(typeof(IdleTests).Assembly.Location));
        ReactorThread timekeeper = StartReactor(stack);
        _timekeeper = timekeeper.Reactor;
        (ReactorThread thread, CountingDriver driver) = Start(stack);
        await thread.Turn();

        Assert.InRange(await LeastWaits(thread, driver, static _ => { }), 0, 1);
        long withTimers = await LeastWaits(thread, driver, static reactor =>
        {
            reactor.CallLater(Span / 4, Never).Cancel();
            reactor.CallLater(Span / 4, Never).Reset(TimeSpan.FromHours(1));
            reactor.CallLater(TimeSpan.FromHours(1), Never);
        });
        Assert.InRange(withTimers, 0, 1);
        long withFile = await LeastWaits(thread, driver, reactor =>
        {
            // What is always ready keeps it awake only while it is there. One turn is left of it.
            var reader = new TestDescriptor(file);
            reactor.AddReader(reader);
            reactor.RemoveReader(reader);
        }, turnsLeft: 1);
        Assert.InRange(withFile, 0, 1);
    }

    [Theory, ReactorStacks]
    [Contract("R-INV-06"), Contract("R-FD-22")]
    public async Task Idle_FileIsWatchedForNothing_SleepsUntilItIsWatchedForMore(ReactorStack stack)
    {
        SafeFileHandle file = Own(File.OpenHandle(typeof(IdleTests).Assembly.Location));
        var watcher = new TestWatcher(file);
        ReactorThread timekeeper = StartReactor(stack);
        _timekeeper = timekeeper.Reactor;
        (ReactorThread thread, CountingDriver driver) = Start(stack);
        await thread.Do(() => thread.Reactor.AddWatcher(watcher, IoEvents.None));
        await thread.Turn();
        Assert.InRange(await LeastWaits(thread, driver, static _ => { }), 0, 1);
        Assert.Empty(watcher.Events);

        await thread.Do(() => thread.Reactor.AddWatcher(watcher, IoEvents.Read));
        await thread.Turn();
        Assert.NotEmpty(await thread.Ask(() => watcher.Events.ToArray()));
        await thread.Do(() => thread.Reactor.RemoveWatcher(watcher));
    }

    [Theory, ReactorStacks]
    [Contract("R-INV-06"), Contract("R-TIME-16")]
    public async Task Wait_OneCallIsPending_WakesOnceThroughAllLayers(ReactorStack stack)
    {
        (ReactorThread thread, CountingDriver driver) = Start(stack);
        await thread.Turn();
        long least = long.MaxValue;
        for (int attempt = 0; attempt < 3; attempt++)
        {
            var fired = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            long begin = await thread.Ask(() =>
            {
                thread.Reactor.CallLater(Span, () => fired.SetResult(driver.Waits));
                return driver.Waits;
            });
            least = Math.Min(least, await fired.Task.WithDeadline() - begin);
        }

        Assert.InRange(least, 0, 1);
    }

    private (ReactorThread Thread, CountingDriver Driver) Start(ReactorStack stack)
    {
        var driver = new CountingDriver(stack.Driver);
        return (Run(NewReactor(stack, clock: null, driver)), driver);
    }

    // Between two questions, while the span goes by elsewhere: one, as a rule. The least of some attempts, because what else the machine does
    // adds; unless it holds the reactor up for the whole span, and then there is none.
    private async Task<long> LeastWaits(ReactorThread thread, CountingDriver driver, Action<IReactor> before, int turnsLeft = 0)
    {
        long least = long.MaxValue;
        for (int attempt = 0; attempt < 3; attempt++)
        {
            var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            long begin = await thread.Ask(() =>
            {
                before(thread.Reactor);
                return driver.Waits;
            });
            await _timekeeper!.Do(() => _timekeeper!.CallLater(Span, over.SetResult));
            await over.Task.WithDeadline();
            long end = await thread.Ask(() => driver.Waits);
            least = Math.Min(least, end - begin - turnsLeft);
        }

        return least;
    }

    private static void Never() => Assert.Fail("It was cancelled, or is an hour away.");
}
