using System.Collections.Concurrent;
using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>
/// A reactor on a native loop that a thread of its own runs, or that a test runs itself. Its end is the check of R-INV-04: nothing
/// registered, nothing pending, nothing reported that the test did not expect.
/// </summary>
internal sealed class ReactorHarness : IAsyncDisposable
{
    private readonly ConcurrentQueue<Exception> _errors = new();
    private Task _running = Task.CompletedTask;

    internal ReactorHarness(LoopDriver driver, bool start = true, TimeProvider? clock = null)
    {
        Loop = new EventLoop(new EventLoopOptions { Driver = driver, TimeProvider = clock ?? TimeProvider.System })
        {
            ExceptionHandler = (exception, _) => _errors.Enqueue(exception),
        };
        Reactor = new ReactorOnLoop(Loop);
        if (start)
        {
            Start();
        }
    }

    internal EventLoop Loop { get; }

    internal ReactorOnLoop Reactor { get; }

    /// <summary>What was reported since it was asked last.</summary>
    internal Exception[] TakeErrors()
    {
        Exception[] errors = [.. _errors];
        _errors.Clear();
        return errors;
    }

    /// <summary>Runs the loop, and with it the reactor, as an embedding program does.</summary>
    internal void Start() => _running = OnThread(Loop.Start);

    /// <summary>Ends <see cref="Start"/> without a word to the reactor.</summary>
    internal Task StopLoopAsync()
    {
        Loop.Stop();
        return _running.WithDeadline();
    }

    /// <summary>Runs the reactor itself, as a program does that has nothing else.</summary>
    internal Task RunAsync() => _running = OnThread(Reactor.Run);

    internal Task<T> On<T>(Func<T> function)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Assert.True(Loop.AddCallback(() =>
        {
            try
            {
                result.SetResult(function());
            }
            catch (Exception e)
            {
                result.SetException(e); // the test's own assertion: it fails there
            }
        }));
        return result.Task.WithDeadline();
    }

    internal Task On(Action action) => On(() =>
    {
        action();
        return true;
    });

    /// <summary>Lets so many whole turns go by.</summary>
    internal async Task Turn(int count = 2)
    {
        for (int i = 0; i < count; i++)
        {
            var turned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await On(() => Loop.CallLater(TimeSpan.Zero, turned.SetResult));
            await turned.Task.WithDeadline();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_running.IsCompleted)
        {
            Reactor.Dispose();
        }
        else
        {
            await On(Reactor.Dispose);
            await StopLoopAsync();
        }

        await _running.WithDeadline();
        Assert.Empty(Reactor.RemoveAll());
        Assert.Empty(Reactor.GetDelayedCalls());
        Assert.Equal(0, Loop.GetStatistics().PendingTimeouts);
        Loop.Dispose();
        Assert.Empty(_errors);
    }

    internal static Task OnThread(Action action)
        => Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
