namespace LoopBridge.Sockets;

/// <summary>
/// Where the bytes of one <see cref="StreamSocket"/> go: Kestrel's pipes, a reactor transport or a loop stream. Everything is called on the
/// loop's thread, outside any synchronization context.
/// </summary>
internal interface ISocketSink
{
    /// <summary>
    /// A receive is worth trying. A sink that does not want bytes now does nothing, and the peer feels the kernel's window close.
    /// </summary>
    void OnReceivable();

    /// <summary>
    /// Unsent bytes have fallen to <see cref="StreamSocket.SendLowWater"/> after having been above
    /// <see cref="StreamSocket.SendHighWater"/>.
    /// </summary>
    void OnSendDrained();

    /// <summary>The kernel has taken what <see cref="StreamSocket.WaitSent"/> asked about.</summary>
    void OnSent()
    {
    }

    /// <summary>All was sent and the sending direction is ended, after <see cref="StreamSocket.FinishSending"/>.</summary>
    void OnSendFinished();

    /// <summary>
    /// The socket is closed: the last call, and the only one that always comes. <paramref name="reason"/> is null after an orderly close.
    /// </summary>
    void OnClosed(Exception? reason);
}

/// <summary>Whoever keeps the books of a connection while sinks come and go.</summary>
internal interface ISocketObserver
{
    /// <summary>The socket is closed. Once; loop thread.</summary>
    void OnSocketClosed(Exception? reason);
}
