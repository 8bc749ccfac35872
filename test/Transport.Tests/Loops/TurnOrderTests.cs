using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>What runs before what, and what waits for the next turn.</summary>
public sealed class TurnOrderTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-INV-05"), Contract("L-TIME-09")]
    public void Start_AllAtOnce_RunsCallbacksThenTimeoutsThenHandlers(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        var order = new List<string>();
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.Write, (_, _) =>
        {
            order.Add("handler");
            loop.Stop();
        });
        loop.CallLater(TimeSpan.Zero, () => order.Add("timeout"));
        loop.AddCallback(() => order.Add("callback 1"));
        loop.AddCallback(() => order.Add("callback 2"));
        loop.StartBounded();
        Assert.Equal(["callback 1", "callback 2", "timeout", "handler"], order);
    }

    [Theory, LoopStacks]
    [Contract("L-CB-03"), Contract("L-INV-04"), Contract("L-CB-01")]
    public void AddCallback_FromCallback_WaitsForTheNextTurnWithAPollBetween(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        var order = new List<string>();
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.Write, (handle, _) =>
        {
            order.Add("handler");
            loop.RemoveHandler(handle);
        });
        loop.AddCallback(() =>
        {
            loop.AddCallback(() =>
            {
                order.Add("second turn");
                loop.Stop();
            });
            order.Add("first");
        });
        loop.AddCallback(() => order.Add("first too"));
        loop.StartBounded();
        Assert.Equal(["first", "first too", "handler", "second turn"], order);
    }

    [Theory, LoopStacks]
    [Contract("L-TIME-08")]
    public void CallAt_PastDeadlineAddedInTheTurn_WaitsForTheNext(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        var order = new List<string>();
        loop.CallLater(TimeSpan.Zero, () =>
        {
            order.Add("timeout");
            loop.CallAt(TimeSpan.Zero, () => order.Add("from timeout"));
        });
        loop.AddCallback(() =>
        {
            loop.CallAt(TimeSpan.Zero, () => order.Add("from callback"));
            loop.AddCallback(() => order.Add("next turn"));
        });
        loop.RunTurns(3);
        Assert.Equal(["timeout", "next turn", "from callback", "from timeout"], order);
    }

    [Theory, LoopStacks]
    [Contract("L-CB-13"), Contract("L-HND-16")]
    public void AddCallback_ItselfForEver_LeavesTimeoutsAndHandlersServed(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        bool timedOut = false;
        int handled = 0;
        void Again() => loop.AddCallback(Again);
        Again();
        loop.CallLater(TimeSpan.FromMilliseconds(5), () => timedOut = true);
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.Read | IoEvents.Write, (_, _) =>
        {
            handled++;
            if (timedOut)
            {
                loop.Stop();
            }
        });
        loop.StartBounded();
        Assert.True(handled > 0);
    }
}
