using LoopBridge.Loops;
using Xunit;

namespace LoopBridge.Testing;

/// <summary>Runs a loop on a thread of its own until disposed of. The loop itself is closed by whoever made it.</summary>
public sealed class LoopThread : IDisposable
{
    private readonly Thread _thread;

    public LoopThread(IEventLoop loop)
    {
        Loop = loop;
        _thread = new Thread(loop.Start) { IsBackground = true, Name = "test loop" };
        _thread.Start();
    }

    public IEventLoop Loop { get; }

    /// <summary>Runs <paramref name="body"/> as loop code and waits for its end.</summary>
    public Task<T> RunAsync<T>(Func<IEventLoop, Task<T>> body)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Loop.AddCallback(async () =>
        {
            try
            {
                done.SetResult(await body(Loop));
            }
            catch (Exception e)
            {
                done.SetException(e); // the test's to see
            }
        });
        return done.Task.WithDeadline();
    }

    /// <inheritdoc cref="RunAsync{T}(Func{IEventLoop, Task{T}})"/>
    public Task RunAsync(Func<IEventLoop, Task> body) => RunAsync(async loop =>
    {
        await body(loop);
        return true;
    });

    /// <summary>Runs <paramref name="question"/> on the loop and gives its answer.</summary>
    public Task<T> Ask<T>(Func<T> question) => RunAsync(_ => Task.FromResult(question()));

    /// <summary>Runs <paramref name="action"/> on the loop and waits for its end.</summary>
    public Task Do(Action action) => Ask(() =>
    {
        action();
        return true;
    });

    /// <summary>Ends the thread; the loop can still be used.</summary>
    public void Stop()
    {
        while (_thread.IsAlive)
        {
            Loop.Stop();
            Assert.True(_thread.Join(Deadline.Default), "The loop did not stop.");
        }
    }

    public void Dispose() => Stop();
}
