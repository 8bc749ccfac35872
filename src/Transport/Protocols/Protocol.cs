namespace LoopBridge.Protocols;

/// <summary>
/// What is done with the bytes of one connection, as callbacks: connected, data received, connection lost. One object serves one
/// connection. Descends from Twisted's <c>Protocol</c>.
/// </summary>
/// <remarks>
/// All callbacks run on the thread of the connection's loop, one at a time, under that loop's synchronization context: what they await
/// continues there. An exception that leaves one of them is logged once and closes the connection, with the exception as the reason of the
/// loss. A <see cref="MalformedInputException"/> says that it was the peer's fault.
/// </remarks>
public abstract class Protocol
{
    private ITransport? _transport;

    /// <summary>
    /// What the protocol writes to and closes. Set before <see cref="ConnectionMade"/>, and kept after the loss, when it does nothing any
    /// more.
    /// </summary>
    /// <exception cref="InvalidOperationException">There was no connection yet.</exception>
    public ITransport Transport => _transport
        ?? throw new InvalidOperationException("The protocol has no transport before its connection is made: begin in ConnectionMade.");

    /// <summary>
    /// Whether there is a connection: true from just before <see cref="ConnectionMade"/> until just before <see cref="ConnectionLost"/>.
    /// </summary>
    public bool IsConnected { get; private set; }

    /// <summary>There is a connection. The first callback; what is to be said first is written here.</summary>
    public virtual void ConnectionMade()
    {
    }

    /// <summary>Bytes have arrived, at most 64 KiB at a time. Where one call ends and the next begins means nothing.</summary>
    /// <param name="data">Never empty, and valid during the call only: copy what has to stay.</param>
    public virtual void DataReceived(ReadOnlySpan<byte> data)
    {
    }

    /// <summary>
    /// The transport delivers again after it had stopped: after a pause, or because less waits to be sent. A protocol that held back what
    /// it had received goes on with that here; new data comes by <see cref="DataReceived"/>.
    /// </summary>
    public virtual void ProducingResumed()
    {
    }

    /// <summary>The connection is gone and its socket closed. The last callback.</summary>
    /// <param name="reason">
    /// <see cref="Reactors.ConnectionDoneException"/> after an orderly close by either side, <see cref="Reactors.ConnectionLostException"/>
    /// after any other, <see cref="ConnectionAbortedLocallyException"/> after an abort on this side, or the exception that escaped one of
    /// the protocol's own callbacks.
    /// </param>
    public virtual void ConnectionLost(Exception reason)
    {
    }

    /// <summary>Whether there is or was a connection.</summary>
    internal bool IsUsed => _transport is not null;

    /// <summary>
    /// Connects the protocol and calls <see cref="ConnectionMade"/>. For transports and tests; a connection does this by itself.
    /// </summary>
    /// <exception cref="InvalidOperationException">The protocol has had a connection before.</exception>
    public void MakeConnection(ITransport transport)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ThrowIfUsed();
        _transport = transport;
        IsConnected = true;
        ConnectionMade();
    }

    /// <summary>
    /// Disconnects the protocol and calls <see cref="ConnectionLost"/>. For transports and tests; a connection does this by itself.
    /// </summary>
    public void EndConnection(Exception reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        IsConnected = false;
        ConnectionLost(reason);
    }

    internal void ThrowIfUsed()
    {
        if (IsUsed)
        {
            throw new InvalidOperationException(
                $"This {GetType().Name} has had a connection before: each needs a protocol of its own, not one from a singleton.");
        }
    }
}
