using LoopBridge.Deferreds;
using LoopBridge.Reactors;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>The main function of a program that is a reactor.</summary>
public sealed class ReactorMainTests : ReactorContract
{
    [Theory, ReactorStacks(false, true)]
    [Contract("R-TASK-12")]
    public void React_Success_RunsUntilTheDeferredHasFired(ReactorStack stack, bool fired)
    {
        IReactor reactor = NewReactor(stack);
        int stops = 0;
        reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Shutdown, () => { stops++; });
        IReactor? given = null;

        int exitCode = reactor.React(r =>
        {
            given = r;
            return fired ? Deferred.Succeed() : r.DeferLater(TimeSpan.FromMilliseconds(1));
        });

        Assert.Equal((0, 1, false), (exitCode, stops, reactor.Running));
        Assert.Same(reactor, given);
    }

    [Theory, ReactorStacks(false, true)]
    [Contract("R-TASK-12")]
    public void React_Failure_IsToldOnceAndExitsWithOne(ReactorStack stack, bool fired)
    {
        IReactor reactor = NewReactor(stack);
        var error = new FormatException();

        int exitCode = reactor.React(r => fired ? throw error : r.DeferLater(TimeSpan.FromMilliseconds(1), void () => throw error));

        Assert.Equal(1, exitCode);
        Assert.Same(error, Assert.Single(TakeErrors()));
    }

    [Theory, ReactorStacks]
    [Contract("R-TASK-12")]
    public void React_FailureWithALogger_IsLoggedThere(ReactorStack stack)
    {
        var error = new FormatException();

        Assert.Equal(1, NewReactor(stack).React(_ => Deferred.Fail<int>(error), Log.CreateLogger("main")));

        LogEntry told = Log.TakeSingle(LogLevel.Error);
        Assert.Same(error, told.Exception);
    }

    [Theory, ReactorStacks(false, true)]
    [Contract("R-TASK-12")]
    public void React_AskedForACode_ExitsWithIt(ReactorStack stack, bool fired)
    {
        int exitCode = NewReactor(stack).React(r
            => fired ? throw new ReactorExitException(23)
                : r.DeferLater(TimeSpan.FromMilliseconds(1), void () => throw new ReactorExitException(23)));
        Assert.Equal(23, exitCode);
    }

    [Theory, ReactorStacks(false, true)]
    [Contract("R-TASK-12")]
    public void React_ReactorStoppedEarly_IsASuccess(ReactorStack stack, bool atOnce)
    {
        IReactor reactor = NewReactor(stack);
        var never = new Deferred<Unit>();

        int exitCode = reactor.React(r =>
        {
            if (atOnce)
            {
                r.Stop();
            }
            else
            {
                r.CallLater(TimeSpan.FromMilliseconds(1), r.Stop);
            }

            return never;
        });

        Assert.Equal(0, exitCode);
        Assert.False(never.IsFired);
    }

    [Theory, ReactorStacks]
    [Contract("R-TASK-12")]
    public void React_DoneWhileTheReactorStops_StopsItNoSecondTime(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        var done = new Deferred<Unit>();
        reactor.AddSystemEventTrigger(SystemEventPhase.During, SystemEvents.Shutdown, () => done.Callback());
        Assert.Equal(0, reactor.React(r =>
        {
            r.CallLater(TimeSpan.Zero, r.Stop);
            return done;
        }));

        IReactor second = NewReactor(stack);
        Assert.Equal(0, second.React(r =>
        {
            r.Stop();
            return Deferred.Succeed();
        }));
    }

    [Theory, ReactorStacks]
    [Contract("R-TASK-12")]
    public void React_AnAsyncFunction_GoesOnOnTheReactorThread(ReactorStack stack)
    {
        bool onThread = false;
        int exitCode = NewReactor(stack).React(async r =>
        {
            await Task.Run(() => { }, TestContext.Current.CancellationToken);
            onThread = r.IsInReactorThread;
        });
        Assert.Equal((0, true), (exitCode, onThread));
    }

    [Theory, ReactorStacks]
    [Contract("R-TASK-12")]
    public void React_OnAReactorThatWasStopped_IsRefusedAndLeavesNothing(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        Assert.Equal(0, reactor.React(_ => Deferred.Succeed()));

        Assert.Throws<ReactorNotRestartableException>(() => reactor.React(Deferred (_) => throw new FormatException()));
    }

    [Theory, ReactorStacks]
    [Contract("R-TASK-12")]
    public async Task React_OnAReactorThatRuns_IsRefused(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        await thread.Turn();

        await thread.Do(() => Assert.Throws<ReactorAlreadyRunningException>(
            () => thread.Reactor.React(Deferred (_) => throw new FormatException())));
    }
}
