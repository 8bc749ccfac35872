using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>One turn at a time.</summary>
public sealed class IterateTests : ReactorContract
{
    [Theory, ReactorStacks]
    [Contract("R-CORE-17")]
    public void Iterate_NoWait_RunsWhatIsDueAndReturns(ReactorStack stack)
    {
        SocketPair idle = Own(new SocketPair());
        SocketPair ready = Own(new SocketPair());
        IReactor reactor = NewReactor(stack);
        var order = new List<string>();
        var reader = new TestDescriptor(ready.Ours.SafeHandle) { OnRead = () => Note("descriptor") };
        reactor.AddReader(reader);
        reactor.AddReader(new TestDescriptor(idle.Ours.SafeHandle) { OnRead = () => Note("idle descriptor") });
        reactor.CallLater(TimeSpan.FromHours(1), () => Note("later"));
        reactor.CallLater(TimeSpan.Zero, () => Note("timed call"));
        reactor.CallFromThread(() => Note("cross-thread call"));
        ready.Theirs.Send(new byte[1]);
        Assert.True(ready.Ours.Poll(Deadline.Default, System.Net.Sockets.SelectMode.SelectRead));

        reactor.Iterate(TimeSpan.Zero);
        reactor.Iterate(TimeSpan.Zero);

        Assert.True(reactor.Running);
        Assert.Equal(["cross-thread call", "timed call", "descriptor"], order.Distinct());
        Exception? Note(string what)
        {
            order.Add(what);
            return null;
        }
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-17")]
    public void Iterate_MayWait_ReturnsWhenSomethingCameOrTheTimeIsOver(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        IReactor reactor = NewReactor(stack);
        var reader = new TestDescriptor(pair.Ours.SafeHandle) { OnRead = () => pair.Drain() };
        reactor.AddReader(reader);
        reactor.CallLater(TimeSpan.FromHours(1), static () => Assert.Fail("An hour has not gone by."));
        reactor.Iterate(TimeSpan.Zero); // the startup
        reactor.Iterate(TimeSpan.FromMilliseconds(5));
        Assert.Equal(0, reader.Reads);

        using var sender = new Timer(_ => pair.Theirs.Send(new byte[1]), null, TimeSpan.FromMilliseconds(5), Timeout.InfiniteTimeSpan);
        while (reader.Reads == 0)
        {
            reactor.Iterate(Timeout.InfiniteTimeSpan); // nothing else is due in the next hour
        }

        Assert.True(reactor.Running);
        Assert.Single(reactor.GetDelayedCalls());
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-17")]
    public void Iterate_Again_RunsAfterwardsAsEver(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        reactor.Iterate(TimeSpan.Zero);
        reactor.Iterate(TimeSpan.FromMilliseconds(1));
        bool called = false;
        reactor.CallLater(TimeSpan.FromMilliseconds(1), () =>
        {
            called = true;
            reactor.Stop();
        });

        reactor.RunBounded(); // what ended the iterations ends no run

        Assert.True(called);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-17"), Contract("R-CORE-11")]
    public async Task Iterate_Running_ThrowsAndTheRunGoesOn(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        await thread.Turn();

        await thread.Do(() => Assert.Throws<ReactorAlreadyRunningException>(() => thread.Reactor.Iterate(TimeSpan.Zero)));
        Assert.Throws<ReactorAlreadyRunningException>(() => thread.Reactor.Iterate(TimeSpan.Zero));

        await thread.Turn();
        Assert.False(thread.HasEnded);
    }
}
