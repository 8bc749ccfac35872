using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Drivers;

/// <summary>The sockets of one loop. What is made or accepted on one loop may be opened on another of the same kind.</summary>
internal interface ISocketDriver
{
    /// <summary>A new stream socket that nothing watches yet. Any thread.</summary>
    RawSocket CreateSocket(AddressFamily family);

    /// <summary>A socket around a descriptor that somebody else owns (inherited, systemd) or gives away. Any thread.</summary>
    RawSocket AdoptSocket(nint descriptor, bool ownsDescriptor);

    /// <summary>
    /// The socket of a .NET object, which is of no use any more afterwards. Any thread. After an exception it is the caller's as before.
    /// </summary>
    RawSocket AdoptSocket(Socket socket);

    /// <summary>Puts a stream socket on this loop. Loop thread. The socket belongs to the channel from here on.</summary>
    IStreamChannel OpenStream(RawSocket socket);

    /// <summary>Puts a listening socket on this loop. Loop thread. The socket belongs to the channel from here on.</summary>
    IListenChannel OpenListener(RawSocket socket);
}

/// <summary>
/// A stream of bytes both ways, as a loop's driver moves them: a socket on epoll or managed, a pipe or a WebSocket behind an adapter.
/// Everything but <see cref="TrySend"/> belongs to the loop's thread.
/// </summary>
internal interface IStreamChannel
{
    EndPoint? LocalEndPoint { get; }

    EndPoint? RemoteEndPoint { get; }

    /// <summary>The socket underneath, if there is one.</summary>
    RawSocket? Socket { get; }

    /// <summary>Whether <see cref="TrySend"/> may be used off the loop.</summary>
    bool CanSendFromAnyThread { get; }

    /// <summary>What is behind an error, where the channel knows more than a <see cref="SocketError"/> can say.</summary>
    Exception? Failure => null;

    /// <summary>
    /// Begins to connect. Pending: <see cref="IStreamChannelOwner.OnConnected"/> follows after <see cref="Start"/>. Called before it,
    /// because a socket that is watched before it connects reports a hang-up at once (epoll(7) has none of this; tcp_poll() does).
    /// </summary>
    IoResult Connect(EndPoint endPoint);

    /// <summary>Begins to notify. Called once, before anything below.</summary>
    void Start(IStreamChannelOwner owner);

    /// <summary>
    /// Takes what has arrived: a count, zero at the end of the stream, pending (<see cref="IStreamChannelOwner.OnReceivable"/> follows), or
    /// an error.
    /// </summary>
    IoResult Receive(Span<byte> buffer);

    /// <summary>
    /// Sends in order. A count may be less than all. Pending: the buffers stay untouched until
    /// <see cref="IStreamChannelOwner.OnSendReady"/> says how many bytes of them are done (zero from a driver that only reports readiness).
    /// </summary>
    IoResult Send(ReadOnlySpan<ReadOnlyMemory<byte>> buffers);

    /// <summary>
    /// Sends what goes at once, never arming a notification: pending means "hand over to the loop". Only where
    /// <see cref="CanSendFromAnyThread"/>.
    /// </summary>
    IoResult TrySend(ReadOnlySpan<ReadOnlyMemory<byte>> buffers);

    /// <summary>Ends the sending direction, after what was sent (FIN).</summary>
    void ShutdownSend();

    /// <summary>
    /// Receives and drops what has arrived, also what was not notified yet: a count, of which <paramref name="limit"/> or more says that
    /// there may be more; zero at the end of the stream; pending, and <see cref="IStreamChannelOwner.OnReceivable"/> follows; or an error.
    /// A channel that closes without harm over what nobody has read has nothing to drop.
    /// </summary>
    IoResult Discard(int limit) => IoResult.Pending;

    /// <summary>
    /// Ends the channel, with RST if <paramref name="reset"/>. <see cref="IStreamChannelOwner.OnClosed"/> follows, at once or when the last
    /// operation in flight has ended; nothing else does.
    /// </summary>
    void Close(bool reset);
}

internal interface IStreamChannelOwner
{
    /// <summary>The connect has ended; success or the error.</summary>
    void OnConnected(SocketError error);

    /// <summary>A receive is worth trying.</summary>
    void OnReceivable();

    /// <summary>The pending send may go on: so many bytes of it are done, or it failed.</summary>
    void OnSendReady(IoResult done);

    /// <summary>The connection broke while nothing was asked of it. The owner has to close the channel.</summary>
    void OnFailed(Exception reason);

    /// <summary>Nothing of the channel is in flight any more; buffers may be released.</summary>
    void OnClosed();
}

/// <summary>A listening socket on a loop.</summary>
internal interface IListenChannel
{
    EndPoint? LocalEndPoint { get; }

    void Start(IListenChannelOwner owner);

    /// <summary>The next waiting connection, pending (<see cref="IListenChannelOwner.OnAcceptable"/> follows), or an error.</summary>
    IoResult Accept(out RawSocket? accepted);

    void Close();
}

internal interface IListenChannelOwner
{
    /// <summary>An accept is worth trying.</summary>
    void OnAcceptable();
}
