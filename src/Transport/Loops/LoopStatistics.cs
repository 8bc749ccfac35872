namespace LoopBridge.Loops;

/// <summary>What one loop has done so far.</summary>
/// <param name="Name">The loop's name.</param>
/// <param name="Driver">The driver underneath.</param>
/// <param name="ThreadId">The managed id of the thread that runs the loop now; zero if none does.</param>
/// <param name="Turns">Turns begun.</param>
/// <param name="Callbacks">Callbacks run.</param>
/// <param name="QueuedCallbacks">Callbacks waiting.</param>
/// <param name="PendingTimeouts">Timeouts waiting.</param>
public sealed record LoopStatistics(string Name, string Driver, int ThreadId, long Turns, long Callbacks, int QueuedCallbacks, int PendingTimeouts);
