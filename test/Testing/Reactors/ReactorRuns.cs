using LoopBridge.Reactors;
using Xunit;

namespace LoopBridge.Testing;

/// <summary>Ways into a reactor, and through its turns, within the one deadline.</summary>
public static class ReactorRuns
{
    /// <summary>Runs the reactor on the calling thread and fails if nobody ends that in time.</summary>
    public static void RunBounded(this IReactor reactor)
    {
        bool stuck = false;
        using var watchdog = new Timer(_ => reactor.CallFromThread(() =>
        {
            Volatile.Write(ref stuck, true);
            reactor.Crash();
        }), null, Deadline.Default, Timeout.InfiniteTimeSpan);
        reactor.Run(installSignalHandlers: false);
        Assert.False(Volatile.Read(ref stuck), "Nobody stopped the reactor.");
    }

    /// <summary>Runs <paramref name="question"/> on the reactor and gives its answer.</summary>
    public static Task<T> Ask<T>(this IReactor reactor, Func<T> question)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Assert.True(reactor.CallFromThread(() =>
        {
            try
            {
                answer.SetResult(question());
            }
            catch (Exception e)
            {
                answer.SetException(e); // the test's own assertion: it fails there
            }
        }), "The reactor takes no call.");
        return answer.Task.WithDeadline();
    }

    /// <summary>Runs <paramref name="action"/> on the reactor and waits for its end.</summary>
    public static Task Do(this IReactor reactor, Action action) => reactor.Ask(() =>
    {
        action();
        return true;
    });

    /// <summary>Lets so many whole turns go by: calls, timed calls and one poll each.</summary>
    public static async Task Turn(this IReactor reactor, int count = 2)
    {
        for (int i = 0; i < count; i++)
        {
            var turned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await reactor.Do(() => reactor.CallLater(TimeSpan.Zero, turned.SetResult));
            await turned.Task.WithDeadline();
        }
    }
}
