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
    /// an error. From an owner that does not call it the channel takes next to nothing off the kernel, so that the peer feels it.
    /// </summary>
    IoResult Receive(Span<byte> buffer);

    /// <summary>
    /// Sends in order. A count may be less than all. Pending: the memory behind <paramref name="buffers"/> stays untouched, and nothing
    /// else is sent, until <see cref="IStreamChannelOwner.OnSendProgress"/> says how many bytes of it are done (zero from a driver that only
    /// reports readiness) or <see cref="IStreamChannelOwner.OnClosed"/> that none is needed any more. The span itself is the caller's again
    /// at once.
    /// </summary>
    IoResult Send(ReadOnlySpan<ReadOnlyMemory<byte>> buffers);

    /// <summary>
    /// Sends what goes at once, with no notification to follow: pending means "hand over to the loop". Not while a send is pending, and
    /// only where <see cref="CanSendFromAnyThread"/>.
    /// </summary>
    IoResult TrySend(ReadOnlySpan<ReadOnlyMemory<byte>> buffers);

    /// <summary>Ends the sending direction, after what was sent (FIN). Not while a send is pending.</summary>
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

    /// <summary>The pending send has ended: so many bytes of it are done, perhaps none, or it failed. The owner may send what is left.</summary>
    void OnSendProgress(IoResult done);

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

    /// <summary>
    /// The next waiting connection; an error, after which nothing is tried again before the next call; or pending, and
    /// <see cref="IListenChannelOwner.OnAcceptable"/> follows. Pending says that nobody waits, in the kernel neither. From an owner that
    /// does not call it the channel takes next to nothing off the kernel's queue.
    /// </summary>
    IoResult Accept(out RawSocket? accepted);

    /// <summary>
    /// Connects are refused from its return on, unless somebody else listens on the same descriptor. Nothing follows.
    /// </summary>
    void Close();
}

internal interface IListenChannelOwner
{
    /// <summary>An accept is worth trying.</summary>
    void OnAcceptable();
}
