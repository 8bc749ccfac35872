using LoopBridge.Deferreds;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>A worker that waits for something from the reactor.</summary>
public sealed class BlockingCallTests : ReactorContract
{
    [Theory, ReactorStacks]
    [Contract("R-THR-15")]
    public async Task BlockingCallFromThread_Function_GivesItsValueOrItsException(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);

        bool value = await InWorker(thread.Reactor, () => thread.Reactor.BlockingCallFromThread(() => thread.Reactor.IsInReactorThread));
        Exception? error = await InWorker(thread.Reactor, () => Record.Exception(() => thread.Reactor.BlockingCallFromThread(Fail)));

        Assert.True(value);
        Assert.Contains(nameof(Fail), Assert.IsType<InvalidDataException>(error).StackTrace, StringComparison.Ordinal);
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-15")]
    public async Task BlockingCallFromThread_DeferredOrTask_WaitsForIt(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        Deferred<int> Later(Action<Deferred<int>> fire)
        {
            var deferred = new Deferred<int>();
            thread.Reactor.CallLater(TimeSpan.FromMilliseconds(1), () => fire(deferred));
            return deferred;
        }

        int value = await InWorker(thread.Reactor, () => thread.Reactor.BlockingCallFromThread(
            () => Later(deferred => deferred.Callback(7))));
        int ofTask = await InWorker(thread.Reactor, () => thread.Reactor.BlockingCallFromThread(
            () => Later(deferred => deferred.Callback(8)).ToTask()));
        Exception? error = await InWorker(thread.Reactor, () => Record.Exception(() => thread.Reactor.BlockingCallFromThread(
            () => Later(deferred => deferred.Errback(new InvalidDataException())))));

        Assert.Equal((7, 8), (value, ofTask));
        Assert.IsType<InvalidDataException>(error);
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-15")]
    public async Task BlockingCallFromThread_OnReactorThread_ThrowsInsteadOfWaiting(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);

        await thread.Do(() => Assert.Throws<InvalidOperationException>(() => thread.Reactor.BlockingCallFromThread(() => 1)));
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-15"), Contract("R-THR-01")]
    public async Task BlockingCallFromThread_ReactorShutsDown_IsLetGoWithAnError(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var never = new Deferred<int>();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<Exception?> waiting = InWorker(thread.Reactor, () => Record.Exception(() => thread.Reactor.BlockingCallFromThread(() =>
        {
            asked.SetResult();
            return never;
        })));
        await asked.Task.WithDeadline();

        await thread.Do(thread.Reactor.Stop);
        await thread.Ended;

        Assert.IsType<ReactorNotRunningException>(await waiting);
        Assert.Throws<ReactorNotRunningException>(() => thread.Reactor.BlockingCallFromThread(() => 1));
    }

    private static int Fail() => throw new InvalidDataException();

    private static Task<T> InWorker<T>(IReactor reactor, Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Assert.True(reactor.CallInThread(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception e)
            {
                done.SetException(e); // the test's to see
            }
        }));
        return done.Task.WithDeadline();
    }
}
