using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using LoopBridge.Deferreds;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Deferreds;

/// <summary>Failures nobody handled are reported, once; others are not.</summary>
public sealed class DeferredUnhandledTests : IDisposable
{
    private readonly ConcurrentQueue<Exception> _reported = new();

    public DeferredUnhandledTests() => Deferred.UnhandledFailure += Collect;

    public void Dispose() => Deferred.UnhandledFailure -= Collect;

    [Fact, Contract("R-DEF-13")]
    public void Failure_ThatNobodyHandled_IsReportedOnce()
        => Assert.Equal(1, Reports(error => Deferred.Fail<int>(error).AddCallback(value => value + 1)));

    [Fact, Contract("R-DEF-13")]
    public void Failure_ThatACallbackThrew_IsReportedOnce()
        => Assert.Equal(1, Reports(error => Deferred.Succeed(1).AddCallback(_ => throw error)));

    [Fact, Contract("R-DEF-13")]
    public void Failure_HeldBackByAPause_IsReportedOnce()
        => Assert.Equal(1, Reports(error =>
        {
            var deferred = new Deferred<int>();
            deferred.AddErrback(_ => 0);
            deferred.Pause();
            deferred.Errback(error);
        }));

    [Fact, Contract("R-DEF-13")]
    public void Failure_PassedOnToAnother_IsReportedOnlyThere()
        => Assert.Equal(1, Reports(error =>
        {
            var inner = new Deferred<int>();
            Deferred<string> outer = Deferred.Succeed(1).Then(_ => inner).Then(value => $"{value}");
            inner.Errback(error);
            GC.KeepAlive(outer);
        }));

    [Fact, Contract("R-DEF-13")]
    public void Failure_ThatWasHandledLater_IsNotReported()
        => Assert.Equal(0, Reports(error => Deferred.Fail<int>(error).AddCallback(value => value).AddErrback(_ => 0)));

    [Fact, Contract("R-DEF-13")]
    public void Failure_TakenOverByAHandledChain_IsNotReported()
        => Assert.Equal(0, Reports(error =>
        {
            Deferred<int> inner = Deferred.Fail<int>(error);
            Deferred.Succeed(1).AddCallback(_ => inner).AddErrback(_ => 0);
        }));

    [Fact, Contract("R-DEF-13")]
    public void Failure_GivenToAnAwaiter_IsNotReported()
        => Assert.Equal(0, Reports(error =>
        {
            Deferred<int> deferred = Deferred.Fail<int>(error);
            Assert.Same(error, Record.Exception(void () => deferred.GetAwaiter().GetResult()));
            deferred.AddCallback(value => value + 1);
        }));

    [Fact, Contract("R-DEF-13")]
    public void Failure_GivenToATask_IsTheTasksToReport()
    {
        int unobserved = 0;
        EventHandler<UnobservedTaskExceptionEventArgs> count = (_, args) =>
        {
            if (args.Exception.InnerException is MarkedException)
                Interlocked.Increment(ref unobserved);
        };
        TaskScheduler.UnobservedTaskException += count;
        try
        {
            Assert.Equal(0, Reports(error => Deferred.Fail<int>(error).ToTask()));
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= count;
        }

        Assert.Equal(1, unobserved);
    }

    [Fact, Contract("R-DEF-13")]
    public void Cancellation_WithATask_IsNobodysReport()
        => Assert.Equal(0, Reports(_ =>
        {
            var deferred = new Deferred<int>();
            GC.KeepAlive(deferred.ToTask());
            deferred.Cancel();
        }));

    [Fact, Contract("R-DEF-13")]
    public void Reporter_ThatThrows_DoesNotEndTheProcess()
    {
        static void Throwing(object? sender, UnhandledFailureEventArgs args) => throw new InvalidOperationException("from the reporter");
        var afterwards = new ConcurrentQueue<Exception>();
        void Listening(object? sender, UnhandledFailureEventArgs args) => afterwards.Enqueue(args.Exception);

        Deferred.UnhandledFailure += Throwing;
        Deferred.UnhandledFailure += Listening;
        try
        {
            Assert.Equal(1, Reports(error => Deferred.Fail<int>(error)));
        }
        finally
        {
            Deferred.UnhandledFailure -= Throwing;
            Deferred.UnhandledFailure -= Listening;
        }

        Assert.Single(afterwards, static each => each is MarkedException);
    }

    private int Reports(Action<Exception> scenario)
    {
        var error = new MarkedException();
        Play(scenario, error);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return _reported.Count(reported => ReferenceEquals(reported, error));
    }

    // On its own stack, so that nothing of the scenario stays referenced by this frame.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Play(Action<Exception> scenario, Exception error)
    {
        var thread = new Thread(() => scenario(error));
        thread.Start();
        Assert.True(thread.Join(Deadline.Default));
    }

    private void Collect(object? sender, UnhandledFailureEventArgs args) => _reported.Enqueue(args.Exception);

    private sealed class MarkedException : Exception;
}
