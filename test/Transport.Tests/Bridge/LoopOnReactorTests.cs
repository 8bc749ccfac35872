using System.Reflection;
using LoopBridge.Bridge;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;
using Xunit.Sdk;
using Xunit.v3;

namespace LoopBridge.Transport.Tests.Bridge;

/// <summary>What a loop on a reactor owes to the others there.</summary>
public sealed class LoopOnReactorTests : LoopContract
{
    [Theory, StacksOnReactors]
    [Contract("L-CORE-16")]
    public void Embedded_ReactorRuns_CallbacksTimeoutsAndHandlersRun(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp()); // before the layers, which hold it until they end
        IReactor reactor = NewReactor(stack);
        LoopOnReactor loop = NewLoopOn(reactor);
        pair.Far.Send((ReadOnlySpan<byte>)[1]);
        var seen = new List<string>();
        IEventLoop? current = null;
        loop.AddCallback(() => seen.Add("callback"));
        loop.CallLater(TimeSpan.Zero, () => seen.Add("timeout"));
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.Read, (handle, _) =>
        {
            seen.Add("handler");
            current = CurrentLoop.Value;
            loop.RemoveHandler(handle);
            loop.Stop(); // somebody else runs the reactor: not this loop's to end
            reactor.CallLater(TimeSpan.Zero, () => reactor.CallLater(TimeSpan.Zero, reactor.Crash));
        });

        RunBounded(reactor);

        Assert.Equal(["callback", "timeout", "handler"], seen);
        Assert.Same(loop, current);

        loop.AddCallback(() => seen.Add("late"));
        loop.Start(); // the stop was remembered for exactly this start
        Assert.DoesNotContain("late", seen);
        loop.RunTurns(1);
        Assert.Contains("late", seen);
    }

    [Theory, StacksOnReactors]
    [Contract("L-CORE-17")]
    public void TwoLoops_OnOneReactor_AreIndependent(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp()); // before the layers, which hold it until they end
        IReactor reactor = NewReactor(stack);
        LoopOnReactor one = NewLoopOn(reactor);
        LoopOnReactor other = NewLoopOn(reactor);
        LoopOnReactor third = NewLoopOn(reactor);
        pair.Far.Send((ReadOnlySpan<byte>)[1]);
        var ran = new List<string>();
        bool handled = false;
        IDelayedCall foreign = reactor.CallLater(TimeSpan.FromHours(1), static () => { });
        one.AddCallback(() => ran.Add("one's callback"));
        one.CallLater(TimeSpan.Zero, () => ran.Add("one's timeout"));
        other.AddCallback(() =>
        {
            Assert.Same(other, CurrentLoop.Value);
            Assert.Throws<InvalidOperationException>(third.Start);
            ran.Add("other's callback");
        });
        LoopTimeout pending = other.CallLater(TimeSpan.FromHours(1), static () => { });
        Assert.Throws<ArgumentException>(() => one.RemoveTimeout(pending));
        other.AddHandler(pair.Near.SafeHandle, IoEvents.Read, (_, _) =>
        {
            handled = true;
            other.Stop();
        });

        one.Close(closeDescriptors: true);
        other.StartBounded();

        Assert.True(handled);
        Assert.Equal(["other's callback"], ran);
        Assert.True(pending.IsPending);
        Assert.True(foreign.Active);
        Assert.False(one.AddCallback(static () => { }));
        foreign.Cancel();
    }

    [Theory, StacksOnReactors]
    [Contract("L-CORE-16")]
    public void Shutdown_OfTheReactor_IsAnErrorOfEachHandlerOnce(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp()); // before the layers, which hold it until they end
        IReactor reactor = NewReactor(stack);
        LoopOnReactor loop = NewLoopOn(reactor);
        var heard = new List<IoEvents>();
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.None, (_, events) => heard.Add(events));
        reactor.CallWhenRunning(reactor.Stop);
        RunBounded(reactor);
        Assert.Equal([IoEvents.Error | IoEvents.HangUp], heard);
    }

    [Theory, StacksOnReactors]
    [Contract("L-CORE-16")]
    public void GetLoop_OfAReactor_IsOneAndLeadsBack(LoopStack stack)
    {
        IReactor reactor = NewReactor(stack);
        IEventLoop loop = reactor.GetLoop();
        Assert.Same(loop, reactor.GetLoop());
        if (loop is LoopOnReactor above && ReferenceEquals(above.Reactor, reactor))
        {
            Assert.Same(reactor, loop.GetReactor());
        }
        else
        {
            Assert.Same(((ReactorOnLoop)reactor).Loop, loop);
        }
    }

    private static void RunBounded(IReactor reactor)
    {
        using var watchdog = new Timer(
            _ => reactor.CallFromThread(reactor.Crash), null, Deadline.Default, Timeout.InfiniteTimeSpan);
        reactor.Run();
    }

    private IReactor NewReactor(LoopStack stack)
    {
        if (stack.Missing is { } reason)
        {
            Skip(reason);
        }

        return stack.CreateReactor(TimeProvider.System, Log.CreateLogger("reactor"), layer => Own(layer));
    }

    private LoopOnReactor NewLoopOn(IReactor reactor)
        => Own(new LoopOnReactor(reactor, new LoopOnReactorOptions { Logger = Log.CreateLogger("loop"), MakeCurrent = false }));

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class StacksOnReactorsAttribute : DataAttribute
    {
        public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker)
            => new([.. LoopStack.All.Where(stack => stack.IsOnReactor).Select(stack => new TheoryDataRow(stack))]);

        public override bool SupportsDiscoveryEnumeration() => true;
    }
}
