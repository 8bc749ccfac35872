using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Reactors;

namespace LoopBridge.Transport.Tests.Bridge;

/// <summary>A reactor and what runs beneath it: whose run it is, whose stop, and whose signals.</summary>
public sealed class LayerTests : ReactorContract
{
    private readonly List<string> _order = [];

    /// <summary>Those with another reactor at the bottom.</summary>
    public static TheoryData<ReactorStack> Layered => [.. ReactorStack.All.Where(stack => stack is { IsOnLoop: true, OutlivesAFailedTurn: true })];

    [Theory, MemberData(nameof(Layered))]
    [Contract("R-CORE-32"), Contract("R-CORE-33")]
    public async Task BottomRuns_ReactorOnTop_StartsAndStopsByItself(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        IReactor top = NewReactor(stack);
        var reader = new TestDescriptor(pair.Ours.SafeHandle) { OnRead = () => pair.Drain() };
        top.CallWhenRunning(() => _order.Add("started"));
        top.AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Shutdown, () => _order.Add("shut down"));
        top.AddReader(reader);

        ReactorThread bottom = Run(Below(top)!);
        await bottom.Turn();
        Assert.Equal(["started"], _order);
        Assert.Throws<ReactorAlreadyRunningException>(top.Run);
        pair.Theirs.Send(new byte[1]);
        await reader.FirstRead.Task.WithDeadline();
        await bottom.Do(top.Stop);
        await bottom.Turn();

        Assert.Equal(["started", "shut down"], _order);
        Assert.Single(reader.Losses);
        Assert.True(bottom.Reactor.Running);
        Assert.False(bottom.HasEnded);
    }

    [Theory, MemberData(nameof(Layered))]
    [Contract("R-CORE-12"), Contract("R-CORE-32")]
    public void BottomIsShutDown_ReactorOnTop_IsSuspendedForGoodAndEndsOnce(ReactorStack stack)
    {
        IReactor top = NewReactor(stack);
        top.AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Shutdown, () => _order.Add("shut down"));
        top.CallWhenRunning(Below(top)!.Stop);

        top.RunBounded();

        Assert.True(top.Running);
        Assert.Empty(_order);
        Assert.Throws<ReactorNotRestartableException>(top.Run);
        DisposeStack(top);
        Assert.Equal(["shut down"], _order);
        Assert.False(top.Running);
    }

    [Theory, MemberData(nameof(Layered))]
    [Contract("R-CORE-13"), Contract("R-CORE-14")]
    public void Crash_OfTheBottom_SuspendsAndTheNextRunResumes(ReactorStack stack)
    {
        IReactor top = NewReactor(stack);
        top.CallWhenRunning(() => _order.Add("started"));
        top.CallLater(TimeSpan.Zero, Below(top)!.Crash);
        top.RunBounded();
        Assert.True(top.Running);
        top.CallLater(TimeSpan.Zero, top.Stop);

        top.RunBounded();

        Assert.Equal(["started"], _order);
        Assert.False(top.Running);
    }

    [Theory, MemberData(nameof(Layered))]
    [Contract("R-CORE-06"), Contract("R-CORE-07")]
    public void Run_WithSignalHandlers_OnlyTheOutermostListens(ReactorStack stack)
    {
        IReactor top = NewReactor(stack);
        IReactor bottom = Below(top)!;
        var seen = new List<(bool, bool)>();
        void Look() => seen.Add((((ReactorBase)top).Signals.AreInstalled, ((ReactorBase)bottom).Signals.AreInstalled));
        top.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Startup, Look);
        top.AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Startup, Look);
        top.CallWhenRunning(() => top.CallLater(TimeSpan.Zero, () =>
        {
            Look();
            top.Stop();
        }));

        top.Run(installSignalHandlers: true);
        Look();

        Assert.Equal([(false, false), (true, false), (true, false), (false, false)], seen);
    }

    [Theory, MemberData(nameof(Layered))]
    [Contract("R-CORE-06"), Contract("R-CORE-07")]
    public void Run_WithoutSignalHandlers_NobodyListens(ReactorStack stack)
    {
        IReactor top = NewReactor(stack);
        bool? listens = null;
        top.CallLater(TimeSpan.Zero, () =>
        {
            listens = ((ReactorBase)top).Signals.AreInstalled || ((ReactorBase)Below(top)!).Signals.AreInstalled;
            top.Stop();
        });

        top.RunBounded();

        Assert.False(listens);
    }

    [Theory, ReactorStacks(false, true)]
    [Contract("R-CORE-06")]
    public void StartLoop_OnAReactor_ListensOnlyIfAsked(ReactorStack stack, bool isAsked)
    {
        IReactor reactor = NewReactor(stack);
        using var loop = new LoopOnReactor(reactor, new LoopOnReactorOptions { MakeCurrent = false, InstallSignalHandlers = isAsked });
        bool? listens = null;
        loop.CallLater(TimeSpan.Zero, () =>
        {
            listens = ((ReactorBase)reactor).Signals.AreInstalled;
            loop.Stop();
        });

        loop.StartBounded();

        Assert.Equal(isAsked, listens);
        Assert.False(((ReactorBase)reactor).Signals.AreInstalled);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-14")]
    public void StopLoop_TooLateForItsRun_EndsNoOther(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        using var loop = new LoopOnReactor(reactor, new LoopOnReactorOptions { MakeCurrent = false });
        loop.AddCallback(() => reactor.CallBeforePoll(_ =>
        {
            reactor.Crash(); // ends the run before the stop, which comes from another thread and so as a call, is heard
            var stop = new Thread(loop.Stop);
            stop.Start();
            Assert.True(stop.Join(Deadline.Default));
        }, null));
        loop.StartBounded();

        loop.CallLater(TimeSpan.FromMilliseconds(1), () =>
        {
            _order.Add("the next run is whole");
            loop.Stop();
        });
        loop.StartBounded();

        Assert.Equal(["the next run is whole"], _order);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-14"), Contract("R-CORE-33")]
    public async Task StopLoop_Closed_EndsNoRunOfItsReactor(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var loop = new LoopOnReactor(thread.Reactor, new LoopOnReactorOptions { MakeCurrent = false });
        await thread.Do(loop.Dispose);

        loop.Stop();
        await thread.Do(loop.Stop);
        await thread.Turn();

        Assert.False(thread.HasEnded);
        Assert.True(thread.Reactor.Running);
    }
}
