using LoopBridge.Bridge;
using LoopBridge.Deferreds;
using LoopBridge.Drivers;
using LoopBridge.Manual;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Manual;

/// <summary>The whole reactor whose turns and whose time are the test's.</summary>
public sealed class ManualReactorTests : IDisposable
{
    private readonly ManualReactor _reactor = new();
    private readonly List<string> _order = [];

    public void Dispose() => _reactor.Dispose();

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private IDelayedCall Later(double seconds, string name) => _reactor.CallLater(Seconds(seconds), () => _order.Add(name));

    [Fact, Contract("R-TASK-01")]
    public void Advance_RunsEachCallAtItsOwnTime()
    {
        var times = new List<double>();
        _reactor.CallLater(Seconds(2), () => times.Add(_reactor.Time.TotalSeconds));
        _reactor.CallLater(Seconds(1), () =>
        {
            times.Add(_reactor.Time.TotalSeconds);
            _reactor.CallLater(Seconds(0.5), () => times.Add(_reactor.Time.TotalSeconds));
        });

        _reactor.Advance(Seconds(3));

        Assert.Equal([1, 1.5, 2], times);
        Assert.Equal(Seconds(3), _reactor.Time);
    }

    [Fact, Contract("R-TASK-01")]
    public void DelayedCalls_KeepTheOrderOfDeadlinesAfterMovesAlsoInsideACall()
    {
        IDelayedCall moved = Later(2, "moved");
        Later(3, "other");
        _reactor.CallLater(Seconds(1), () => moved.Reset(Seconds(2)));
        IDelayedCall sooner = Later(9, "sooner");
        sooner.Delay(Seconds(-8.5));
        Later(1, "cancelled").Cancel();

        _reactor.Pump(Seconds(1), Seconds(1), Seconds(1));

        Assert.Equal(["sooner", "other", "moved"], _order); // moved to the same deadline, after the other was scheduled
        Assert.Empty(_reactor.GetDelayedCalls());
    }

    [Fact, Contract("R-TASK-01")]
    public void RunTurn_ACallThatIsScheduledInATurn_WaitsForTheNext()
    {
        _reactor.CallLater(TimeSpan.Zero, () =>
        {
            _order.Add("first");
            Later(0, "second");
        });

        _reactor.RunTurn();
        Assert.Equal(["first"], _order);
        _reactor.RunTurn();
        Assert.Equal(["first", "second"], _order);
        Assert.Equal(0, _reactor.RunUntilIdle());
    }

    [Fact, Contract("R-TASK-01")]
    public void FirstTurn_StartsTheReactor_AndDisposeShutsItDown()
    {
        _reactor.CallWhenRunning(() => _order.Add("started"));
        _reactor.AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Shutdown, () => { _order.Add("shut down"); });
        Assert.False(_reactor.Running);

        _reactor.RunTurn();
        Assert.True(_reactor.Running);
        Later(1, "never");
        _reactor.Dispose();

        Assert.Equal(["started", "shut down"], _order);
        Assert.False(_reactor.Running);
        Assert.Throws<ObjectDisposedException>(() => Later(1, "never"));
    }

    [Fact, Contract("R-TASK-12")]
    public void React_RunsInVirtualTime()
    {
        int exitCode = _reactor.React(async r =>
        {
            await r.DeferLater(TimeSpan.FromDays(1));
            throw new ReactorExitException(3);
        });

        Assert.Equal((3, TimeSpan.FromDays(1)), (exitCode, _reactor.Time));
    }

    [Fact]
    public void Run_InATurn_IsRefused()
    {
        _reactor.CallLater(TimeSpan.Zero, () => Assert.Throws<ReactorAlreadyRunningException>(_reactor.Run));
        _reactor.RunTurn();
    }

    [Fact]
    public void Iterate_RunsWhatIsDueAndJumpsNoFurtherThanItMayWait()
    {
        Later(0, "now");
        Later(1, "in a second");
        Later(5, "later");

        _reactor.Iterate(TimeSpan.Zero);
        Assert.Equal(["now"], _order);
        _reactor.Iterate(Seconds(2));
        Assert.Equal(["now", "in a second"], _order);
        Assert.Equal(Seconds(1), _reactor.Time);
        _reactor.Iterate(Seconds(2));
        Assert.Equal(Seconds(3), _reactor.Time);
    }

    [Fact]
    public void LoopAndReactor_LeadToEachOther()
    {
        Assert.Same(_reactor, _reactor.Loop.GetReactor());
        Assert.Same(_reactor.Loop, _reactor.GetLoop());
        Assert.True(_reactor.IsInReactorThread);
    }

    [Fact]
    public void Exception_OfACall_IsThrownByTheTurnAndTheReactorGoesOn()
    {
        _reactor.CallFromThread(() => throw new FormatException());
        Later(0, "other");

        Assert.Throws<FormatException>(_reactor.RunTurn);
        _reactor.RunUntilIdle();
        Assert.Equal(["other"], _order);
    }

    [Fact]
    public void LoopingCallAndTimeLimit_TakeNoTime()
    {
        int runs = 0;
        var beat = new LoopingCall(_reactor, () => { runs++; });
        beat.Start(Seconds(1));
        Deferred<int> limited = new Deferred<int>().AddTimeout(Seconds(10), _reactor);

        _reactor.Advance(Seconds(10));

        Assert.Equal(11, runs);
        Assert.True(limited.HasResult);
        limited.AddErrback<TimeoutException>(_ => 0);
    }

    [Fact]
    public void Reader_IsCalledInEachTurnInWhichTheTestMadeItReady()
    {
        using var descriptor = new ManualDescriptor();
        var reader = new CountingReader(descriptor);
        _reactor.AddReader(reader);
        _reactor.RunTurn();
        Assert.Equal(0, reader.Reads);

        descriptor.Ready = IoEvents.Read;
        _reactor.RunTurn();
        _reactor.RunTurn();
        Assert.Equal(2, reader.Reads);
        Assert.Single(_reactor.RemoveAll());
    }

    [Fact]
    public void ConnectProtocols_BothEndsLiveOnThisReactor()
    {
        var client = new RecordingProtocol();
        var server = new RecordingProtocol();
        _reactor.Loop.ConnectProtocols(client, server);

        client.Transport.Write("hello"u8);
        _reactor.RunUntilIdle();

        Assert.Equal("hello", server.Received);
        Assert.Same(_reactor, server.Transport.Reactor);
    }

    private sealed class CountingReader(ManualDescriptor descriptor) : IReadDescriptor
    {
        public int Reads { get; private set; }

        public System.Runtime.InteropServices.SafeHandle Handle => descriptor;

        public Exception? DoRead()
        {
            Reads++;
            return null;
        }

        public void ConnectionLost(Exception reason)
        {
        }
    }
}
