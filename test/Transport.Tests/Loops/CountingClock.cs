namespace LoopBridge.Transport.Tests.Loops;

/// <summary>The system's clock, counted: a loop that has timeouts reads it in each of its turns.</summary>
internal sealed class CountingClock : TimeProvider
{
    private long _reads;

    public override long GetTimestamp()
    {
        Interlocked.Increment(ref _reads);
        return base.GetTimestamp();
    }

    /// <summary>Fails if the loop turned without cause: a busy one has thousands of turns in a few milliseconds.</summary>
    internal void AssertFewTurns() => Assert.InRange(Interlocked.Read(ref _reads), 1, 200);
}
