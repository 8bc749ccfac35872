using LoopBridge.Loops;

namespace LoopBridge.Coordination;

/// <summary>What this room has in place of locks: everything belongs to one loop, and says so when somebody forgets.</summary>
internal static class LoopAffinity
{
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    internal static void Verify(IEventLoop loop, string what)
    {
        if (!loop.IsOnLoopThread)
        {
            throw new InvalidOperationException(
                $"A {what} is loop-affine: use it on the thread of its loop (IEventLoop.AddCallback brings you there).");
        }
    }
}
