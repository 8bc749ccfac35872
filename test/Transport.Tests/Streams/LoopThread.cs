using System.Collections.Concurrent;
using LoopBridge.Loops;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>A loop on a thread of its own, which keeps what escaped to its exception handler.</summary>
internal sealed class LoopThread : IDisposable
{
    private readonly Thread _thread;

    internal LoopThread(LoopDriver driver)
    {
        Loop = new EventLoop(new EventLoopOptions { Driver = driver, Name = $"test-{driver}" })
        {
            ExceptionHandler = (exception, _) => Escaped.Enqueue(exception),
        };
        _thread = new Thread(Loop.Start) { IsBackground = true, Name = "test loop" };
        _thread.Start();
    }

    internal EventLoop Loop { get; }

    internal ConcurrentQueue<Exception> Escaped { get; } = new();

    /// <summary>Runs <paramref name="body"/> as loop code and waits for its end.</summary>
    internal Task<T> RunAsync<T>(Func<Task<T>> body)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Loop.AddCallback(async () =>
        {
            try
            {
                done.SetResult(await body());
            }
            catch (Exception e)
            {
                done.SetException(e); // the test's to see
            }
        });
        return done.Task;
    }

    internal Task RunAsync(Func<Task> body) => RunAsync(async () =>
    {
        await body();
        return true;
    });

    /// <summary>Ends the thread; the loop itself stays for <see cref="Dispose"/>.</summary>
    internal void Stop()
    {
        Loop.Stop();
        Assert.True(_thread.Join(LoopBridge.Testing.Deadline.Default), "The loop did not stop.");
    }

    public void Dispose()
    {
        Stop();
        Loop.Dispose();
    }
}
