using LoopBridge.Reactors;
using Xunit;

namespace LoopBridge.Testing;

/// <summary>Runs a reactor on a thread of its own until disposed of. The reactor itself is disposed of by whoever made it.</summary>
public sealed class ReactorThread : IDisposable
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;

    public ReactorThread(IReactor reactor)
    {
        Reactor = reactor;
        _thread = new Thread(() => Execute(() => reactor.Run(installSignalHandlers: false))) { IsBackground = true, Name = "test reactor" };
        _thread.Start();
    }

    public IReactor Reactor { get; }

    /// <summary>Done when <see cref="IReactorCore.Run()"/> has returned, or failed as it did.</summary>
    public Task Ended => _ended.Task.WithDeadline();

    /// <summary>Whether <see cref="IReactorCore.Run()"/> has returned.</summary>
    public bool HasEnded => _ended.Task.IsCompleted;

    /// <summary>Runs <paramref name="question"/> on the reactor and gives its answer.</summary>
    public Task<T> Ask<T>(Func<T> question) => Reactor.Ask(question);

    /// <summary>Runs <paramref name="action"/> on the reactor and waits for its end.</summary>
    public Task Do(Action action) => Reactor.Do(action);

    /// <summary>Lets so many whole turns go by.</summary>
    public Task Turn(int count = 2) => Reactor.Turn(count);

    /// <summary>Stops the reactor, unless that is under way, and waits for the end of the run. What the run threw is the test's.</summary>
    public void Dispose()
    {
        // A stop that comes before the start is refused, so it may take several.
        bool hasEnded = SpinWait.SpinUntil(() =>
        {
            Reactor.CallFromThread(static state => TryStop((IReactor)state!), Reactor);
            return _thread.Join(TimeSpan.FromMilliseconds(20));
        }, Deadline.Default);
        if (!hasEnded)
        {
            Reactor.CallFromThread(Reactor.Crash);
            Assert.Fail($"The reactor did not stop{(_thread.Join(Deadline.Default) ? "." : ", and did not crash.")}");
        }

        _ended.Task.GetAwaiter().GetResult();
    }

    private static void TryStop(IReactor reactor)
    {
        try
        {
            reactor.Stop();
        }
        catch (ReactorNotRunningException)
        {
            // Not started yet, or stopping already.
        }
    }

    private void Execute(Action run)
    {
        try
        {
            run();
            _ended.SetResult();
        }
        catch (Exception e)
        {
            _ended.SetException(e); // the test's to see
        }
    }
}
