using System.Collections.Concurrent;
using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>What the engine runs on.</summary>
public enum Ground
{
    Epoll,
    Managed,

    /// <summary>A loop that offers its public members alone: <c>HandlerSocketDriver</c>.</summary>
    Handlers,
    HandlersOnManaged,
}

/// <summary>A loop on a thread of its own. Exceptions that reach it fail the test.</summary>
internal sealed class TestLoop : IDisposable
{
    private readonly EventLoop _inner;
    private readonly Thread _thread;
    private readonly ConcurrentQueue<Exception> _failures = new();

    internal TestLoop(Ground ground, TimeProvider? clock = null)
    {
        LoopDriver driver = ground is Ground.Epoll or Ground.Handlers ? LoopDriver.Epoll : LoopDriver.Managed;
        Assert.SkipWhen(driver == LoopDriver.Epoll && !OperatingSystem.IsLinux(), "epoll is Linux only.");
        _inner = new EventLoop(new EventLoopOptions { Driver = driver, TimeProvider = clock ?? TimeProvider.System });
        _inner.ExceptionHandler = (e, _) => _failures.Enqueue(e);
        Loop = ground is Ground.Handlers or Ground.HandlersOnManaged ? new ForwardingLoop(_inner) : _inner;
        _thread = new Thread(_inner.Start) { IsBackground = true };
        _thread.Start();
    }

    internal IEventLoop Loop { get; }

    internal long Turns => _inner.GetStatistics().Turns;

    internal int PendingTimeouts => _inner.GetStatistics().PendingTimeouts;

    internal bool ExpectFailures { get; set; }

    internal Task InvokeAsync(Action action) => InvokeAsync(() =>
    {
        action();
        return true;
    });

    internal Task<T> InvokeAsync<T>(Func<T> function)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Assert.True(_inner.AddCallback(() =>
        {
            try
            {
                done.SetResult(function());
            }
            catch (Exception e)
            {
                done.SetException(e); // the test awaits it
            }
        }));
        return done.Task.WithDeadline();
    }

    /// <summary>Waits for so many turns' ends: what was posted before has run.</summary>
    internal async Task SettleAsync(int turns = 3)
    {
        for (int i = 0; i < turns; i++)
        {
            await InvokeAsync(() => { });
        }
    }

    public void Dispose()
    {
        _inner.Stop();
        Assert.True(_thread.Join(Deadline.Default), "The loop did not stop.");
        _inner.Dispose();
        if (!ExpectFailures)
        {
            Assert.Empty(_failures);
        }
    }
}
