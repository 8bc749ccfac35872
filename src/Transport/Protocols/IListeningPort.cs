using System.Net;

namespace LoopBridge.Protocols;

/// <summary>A port that is listened on. Descends from Twisted's <c>IListeningPort</c>. Disposing stops it. Any thread.</summary>
public interface IListeningPort : IAsyncDisposable
{
    /// <summary>Where it listens, with the number that the system chose where zero was asked for. The same after the stop.</summary>
    EndPoint Host { get; }

    /// <summary>
    /// Closes the port in a later turn. Its connections stay. Repeated calls give the same task.
    /// </summary>
    /// <returns>
    /// Ends when the socket is closed: the port may be used again. Fails, nonetheless closed, with what the factory's stop threw.
    /// </returns>
    Task StopListeningAsync();
}
