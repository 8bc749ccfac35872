using System.Runtime.InteropServices;
using LoopBridge.Interop;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>What SIGINT and SIGTERM do to a reactor that runs.</summary>
/// <remarks>
/// SIGTERM is sent for real. SIGINT would end the test runner, which listens to it itself: it is handed to what .NET would call.
/// </remarks>
public sealed class SignalTests : ReactorContract
{
    private const int Sigterm = 15; // signal(7)

    private readonly TaskCompletionSource<PosixSignal> _users = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Theory, ReactorStacks]
    [Contract("R-CORE-06"), Contract("R-CORE-07"), Contract("R-INV-04")]
    public async Task Run_Terminated_StopsAndLeavesTheUsersHandlerAlone(ReactorStack stack)
    {
        SkipUnless(OperatingSystem.IsLinux(), "the signal is sent with kill(2)");
        ListenAsUser();
        IReactor reactor = NewReactor(stack);
        bool hasShutDown = false;
        reactor.AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Shutdown, () => hasShutDown = true);
        reactor.CallWhenRunning(Terminate);

        Assert.Null(reactor.ExitSignal);
        RunWithin(reactor, installSignalHandlers: true);

        Assert.Equal(PosixSignal.SIGTERM, reactor.ExitSignal);
        Assert.True(hasShutDown);
        Assert.Equal(PosixSignal.SIGTERM, await _users.Task.WithDeadline()); // .NET tells the latest registration first
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-06")]
    public void Run_TerminatedWithoutHandlers_GoesOn(ReactorStack stack)
    {
        SkipUnless(OperatingSystem.IsLinux(), "the signal is sent with kill(2)");
        IReactor reactor = NewReactor(stack);
        ListenAsUser(() => reactor.CallFromThread(() =>
        {
            Assert.True(reactor.Running);
            reactor.Stop();
        }));
        reactor.CallWhenRunning(Terminate);

        RunWithin(reactor, installSignalHandlers: false);

        Assert.Null(reactor.ExitSignal);
        Assert.True(_users.Task.IsCompletedSuccessfully);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-06")]
    public void Run_HandlersAreThere_FromTheStartupsSecondPhaseToTheEnd(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        var seen = new List<bool>();
        void Look() => seen.Add(((ReactorBase)reactor).Signals.AreInstalled);
        reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Startup, Look);
        reactor.AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Startup, Look);
        reactor.AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Shutdown, Look);
        reactor.CallWhenRunning(reactor.Stop);

        reactor.Run();
        Look();

        Assert.Equal([false, true, true, false], seen);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-07")]
    public void Signal_First_StopsAndTheNextTakesItsCourse(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        var first = new PosixSignalContext(PosixSignal.SIGINT);
        var second = new PosixSignalContext(PosixSignal.SIGINT);
        reactor.CallWhenRunning(() =>
        {
            ((ReactorBase)reactor).Signals.Handle(first);
            ((ReactorBase)reactor).Signals.Handle(second);
        });

        RunWithin(reactor, installSignalHandlers: true);

        Assert.Equal(PosixSignal.SIGINT, reactor.ExitSignal);
        Assert.True(first.Cancel);
        Assert.False(second.Cancel);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-07")]
    public void Run_InsideAnotherRun_LeavesTheSignalsToThatOne(ReactorStack stack)
    {
        IReactor outer = NewReactor(stack);
        IReactor inner = NewReactor(stack);
        bool? innerListens = null;
        inner.CallWhenRunning(() =>
        {
            innerListens = ((ReactorBase)inner).Signals.AreInstalled;
            inner.Stop();
        });
        var loop = new Thread(() =>
        {
            outer.CallWhenRunning(outer.Stop);
            outer.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Startup, () => Nested(outer, inner));
            outer.Run();
        });
        loop.Start();
        Assert.True(loop.Join(Deadline.Default));

        Assert.False(innerListens);
    }

    // What a layer does that is run by the one above it.
    private static void Nested(IReactor outer, IReactor inner)
    {
        Assert.False(outer.Running);
        inner.Run(installSignalHandlers: true);
    }

    private static void Terminate() => Assert.True(LibC.Kill(Environment.ProcessId, Sigterm).IsOk);

    private static void RunWithin(IReactor reactor, bool installSignalHandlers)
    {
        using var watchdog = new Timer(_ => reactor.CallFromThread(reactor.Crash), null, Deadline.Default, Timeout.InfiniteTimeSpan);
        reactor.Run(installSignalHandlers);
    }

    // Keeps the process alive, too, should nobody else care for the signal.
    private void ListenAsUser(Action? then = null) => Own(PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
    {
        context.Cancel = true;
        _users.TrySetResult(context.Signal);
        then?.Invoke();
    }));
}
