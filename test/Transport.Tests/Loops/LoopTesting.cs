using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>Runs a loop on the test's own thread, within the one deadline.</summary>
internal static class LoopTesting
{
    internal static EventLoop NewLoop(LoopDriver driver, TimeProvider? clock = null) => new(new EventLoopOptions
    {
        Driver = driver,
        TimeProvider = clock ?? TimeProvider.System,
    });

    /// <summary>Starts the loop and fails if nobody stops it in time.</summary>
    internal static void StartBounded(this IEventLoop loop)
    {
        bool stuck = false;
        using var watchdog = new Timer(_ =>
        {
            Volatile.Write(ref stuck, true);
            loop.Stop();
        }, null, Deadline.Default, Timeout.InfiniteTimeSpan);
        loop.Start();
        Assert.False(Volatile.Read(ref stuck), "Nobody stopped the loop.");
    }

    /// <summary>Runs the loop for so many turns after the present one. Takes part in the order of callbacks.</summary>
    internal static void RunTurns(this IEventLoop loop, int turns)
    {
        void Count()
        {
            if (turns-- == 0)
            {
                loop.Stop();
            }
            else
            {
                loop.AddCallback(Count);
            }
        }

        loop.AddCallback(Count);
        loop.StartBounded();
    }
}

/// <summary>A loop on a thread of its own.</summary>
internal sealed class LoopThread : IDisposable
{
    private readonly Thread _thread;

    internal LoopThread(LoopDriver driver, TimeProvider? clock = null)
    {
        Loop = LoopTesting.NewLoop(driver, clock);
        _thread = new Thread(Loop.Start) { IsBackground = true };
        _thread.Start();
    }

    internal EventLoop Loop { get; }

    internal Task<T> Ask<T>(Func<T> question)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Loop.AddCallback(() =>
        {
            try
            {
                answer.SetResult(question());
            }
            catch (Exception e)
            {
                answer.SetException(e); // the asker's to see
            }
        });
        return answer.Task.WithDeadline();
    }

    public void Dispose()
    {
        Loop.Stop();
        Assert.True(_thread.Join(Deadline.Default), "The loop did not stop.");
        Loop.Dispose();
    }
}
