using LoopBridge.Loops;
using Xunit;

namespace LoopBridge.Testing;

/// <summary>Runs a loop on the test's own thread, within the one deadline.</summary>
public static class LoopRuns
{
    /// <summary>Starts the loop and fails if nobody stops it in time.</summary>
    public static void StartBounded(this IEventLoop loop)
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
    public static void RunTurns(this IEventLoop loop, int turns)
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
