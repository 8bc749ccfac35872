namespace LoopBridge.Loops;

/// <summary>What one loop has done so far, or the native reactor beneath it, whose turns they are.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Driver">The driver underneath.</param>
/// <param name="ThreadId">The managed id of the thread that runs it now; zero if none does.</param>
/// <param name="Turns">Turns begun.</param>
/// <param name="Callbacks">Callbacks run, and cross-thread calls of a reactor.</param>
/// <param name="QueuedCallbacks">Those waiting.</param>
/// <param name="PendingTimeouts">Timeouts waiting, and delayed calls of a reactor.</param>
public sealed record LoopStatistics(string Name, string Driver, int ThreadId, long Turns, long Callbacks, int QueuedCallbacks, int PendingTimeouts);
