namespace LoopBridge.Loops;

/// <summary>Work that a loop's thread does for somebody else, and that may lose the loop while it does.</summary>
/// <remarks>
/// A guest is on the loop's thread but not on the loop: <see cref="IEventLoop.IsOnLoopThread"/> is false for it,
/// <see cref="CurrentLoop.Value"/> is not its loop, and there is no synchronization context. So all that it calls takes the way that is open
/// to any thread, and cannot tell, or race with, a loop that goes on elsewhere.
/// </remarks>
internal interface ILoopGuest
{
    /// <summary>
    /// Who it works for, as a tag of meters; null if nobody knows. Few values: an endpoint, not a connection. Any thread.
    /// </summary>
    string? Origin => null;

    /// <summary>
    /// On the loop's thread, when the callback or handler that invited it has returned. If the loop is closed first, on the thread pool:
    /// it always runs, once. What it throws is reported like a callback's exception.
    /// </summary>
    void Run();

    /// <summary>
    /// It has returned, and the loop is the thread's again. Loop thread, on the loop, at once afterwards. Not where it was overtaken, nor
    /// where it ran on the thread pool. Short, and throws nothing.
    /// </summary>
    void OnReturned()
    {
    }

    /// <summary>
    /// The loop goes on without it, while <see cref="Run"/> runs on. Called on the thread that took the loop over, before that does anything
    /// else, and like <see cref="Run"/> not on the loop. Short.
    /// </summary>
    void OnOvertaken();

    /// <summary>
    /// The loop has more to do than its thread can, and a processor is idle: whoever is told this takes long, and had better run elsewhere
    /// for a while, from the next time on. The watchdog's thread, perhaps while <see cref="Run"/> runs. Short.
    /// </summary>
    void OnCrowded()
    {
    }
}
