using System.Net;

namespace LoopBridge.Protocols;

/// <summary>A port that is listened on. Descends from Twisted's <c>IListeningPort</c>. Disposing stops it. Any thread.</summary>
public interface IListeningPort : IAsyncDisposable
{
    /// <summary>Where it listens, with the number that the system chose where zero was asked for. The same after the stop.</summary>
    EndPoint Host { get; }

    /// <summary>Listens again, on <see cref="Host"/>, after a stop. It does when this returns.</summary>
    /// <exception cref="InvalidOperationException">It was not stopped, or the stop is not complete.</exception>
    /// <exception cref="Sockets.CannotListenException">Somebody else has the port by now.</exception>
    /// <exception cref="ObjectDisposedException">The loop of the reactor is closed.</exception>
    void StartListening();

    /// <summary>
    /// Closes the port in a later turn. Its connections stay. Repeated calls give the same task, until it listens again.
    /// </summary>
    /// <returns>
    /// Ends when the socket is closed: the port may be used again. Fails, nonetheless closed, with what the factory's stop threw.
    /// </returns>
    Task StopListeningAsync();

    /// <summary>
    /// Closes the port within the call, for those who build upon ports; others stop it. What the factory's stop throws is thrown, and the
    /// port is closed all the same. Does nothing once it is closed. Loop thread. Descends from the <c>connectionLost</c> of Twisted's
    /// ports.
    /// </summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    void CloseNow();
}
