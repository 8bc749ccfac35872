using LoopBridge.Streams;

namespace LoopBridge;

/// <summary>
/// Serves one connection in <c>async</c> style. Built by DI in a scope of its own for each connection; runs on the connection's loop, and
/// continues there after each <c>await</c>.
/// </summary>
public interface ILoopHandler
{
    /// <summary>
    /// Serves the connection. When the task ends, what was written is sent and the connection is closed; when it fails, the failure is
    /// logged once, with the id of the connection.
    /// </summary>
    /// <param name="stream">The connection.</param>
    /// <param name="stopping">Fires when the server begins to stop: finish what is in hand and return.</param>
    Task HandleAsync(LoopStream stream, CancellationToken stopping);
}
