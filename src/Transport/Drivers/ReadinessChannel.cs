using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Drivers;

/// <summary>
/// A stream channel over a mechanism that reports readiness. Receives until the kernel would block, then arms and waits for the next
/// report.
/// </summary>
internal sealed class ReadinessChannel(RawSocket socket, IReadinessSource source)
    : IStreamChannel, IIoHandler, IOnBehalf
{
    // A peer that goes on sending must not keep the loop at this.
    private const int MaxDiscardsAtClose = 1024 * 1024;

    private IStreamChannelOwner? _owner;
    private IoRegistration? _registration;
    private bool _connecting;
    private bool _mayReceive;
    private bool _shortReadsTellNothing = !socket.IsTcp;
    private bool _sendWaits;
    private bool _ended;
    private bool _isDrained;
    private volatile bool _closed;

    // The descriptor's number may be the next connection's by now.
    private static IoResult Closed => IoResult.Failed(SocketError.OperationAborted);

    object? IOnBehalf.Behalf => _owner;

    public EndPoint? LocalEndPoint => socket.LocalEndPoint;

    public EndPoint? RemoteEndPoint => socket.RemoteEndPoint;

    public RawSocket Socket => socket;

    public bool CanSendFromAnyThread => true;

    public void Start(IStreamChannelOwner owner)
    {
        _owner = owner;
        _registration = source.Watch(socket, this);
        _registration.Arm(_connecting ? IoEvents.Write : IoEvents.Read);
    }

    public IoResult Connect(EndPoint endPoint)
    {
        IoResult result = socket.Connect(endPoint);
        _connecting = result.IsPending;
        return result;
    }

    public IoResult Receive(Span<byte> buffer)
    {
        if (!_mayReceive || _closed)
        {
            return _closed ? Closed : IoResult.Pending;
        }

        IoResult result = socket.Receive(buffer);
        _ended |= result.IsError || (result.IsOk && result.Count == 0 && !buffer.IsEmpty);

        // epoll(7), question 9: a read that comes back short has emptied a TCP socket, which saves the call that would say "would block".
        // Not so after the peer hung up (the end of the stream, or the error, is still to be read) or sent urgent data (tcp(7): a read
        // stops at its mark), nor on a UNIX socket, where a read stops behind passed descriptors (unix(7)). The end and an error arm
        // nothing: they stay, and are no news.
        if (result.IsPending || (result.Count > 0 && result.Count < buffer.Length && !_shortReadsTellNothing))
        {
            _mayReceive = false;
            _registration!.Arm(IoEvents.Read);
        }

        return result;
    }

    public IoResult Send(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
    {
        if (_closed)
        {
            return Closed;
        }

        IoResult result = socket.Send(buffers);
        if (result.IsPending)
        {
            _sendWaits = true;
            _registration!.Arm(IoEvents.Write);
        }

        return result;
    }

    public IoResult TrySend(ReadOnlySpan<ReadOnlyMemory<byte>> buffers) => _closed ? Closed : socket.Send(buffers);

    public void ShutdownSend()
    {
        if (!_closed)
        {
            socket.ShutdownSend();
        }
    }

    public IoResult Discard(int limit)
    {
        if (_closed)
        {
            return Closed;
        }

        IoResult result = Drop(limit, out int dropped);
        if (!result.IsPending)
        {
            return result;
        }

        _isDrained = true;
        _mayReceive = false;
        _registration!.Arm(IoEvents.Read);
        return dropped > 0 ? IoResult.Of(dropped) : result;
    }

    public void Close(bool reset)
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        _registration?.Remove();
        if (reset)
        {
            socket.SetResetOnClose();
        }
        else if (!_ended && !_isDrained && !_connecting)
        {
            // TCP answers a close over unread bytes with RST (RFC 2525, 2.17), and the peer gets no more of our last words than it has by
            // then. What comes after the close still does that; whoever wants to outlive it goes on with Discard first.
            Drop(MaxDiscardsAtClose, out _);
        }

        socket.Dispose();
        _owner?.OnClosed();
    }

    private IoResult Drop(int limit, out int dropped)
    {
        Span<byte> sink = stackalloc byte[16 * 1024];
        dropped = 0;
        while (dropped < limit)
        {
            IoResult result = socket.Receive(sink);
            if (!result.IsOk || result.Count == 0)
            {
                _ended = !result.IsPending;
                return result;
            }

            dropped += result.Count;
        }

        return IoResult.Of(dropped);
    }

    void IIoHandler.OnEvents(IoEvents events)
    {
        IStreamChannelOwner owner = _owner!;
        if ((events & (IoEvents.HangUp | IoEvents.Error)) != 0)
        {
            _shortReadsTellNothing = true;
        }

        if (_connecting)
        {
            _connecting = false;
            SocketError error = socket.TakeError();
            if (error == SocketError.Success)
            {
                socket.RefreshLocalEndPoint();
                _registration!.Arm(IoEvents.Read);
            }

            owner.OnConnected(error);
            if (_closed || error != SocketError.Success)
            {
                return;
            }
        }

        if ((events & (IoEvents.Read | IoEvents.HangUp | IoEvents.Error)) != 0)
        {
            _mayReceive = true;
            _isDrained = false;
            owner.OnReceivable();
        }

        if (_sendWaits && !_closed && (events & (IoEvents.Write | IoEvents.HangUp | IoEvents.Error)) != 0)
        {
            _sendWaits = false;
            owner.OnSendProgress(IoResult.Of(0));
        }
    }
}

/// <summary>Watches the sockets of channels: a driver, or what stands for one. An object that is there anyway, not one for each channel.</summary>
internal interface IReadinessSource
{
    /// <summary>By edges, for both directions. Loop thread.</summary>
    IoRegistration Watch(RawSocket socket, IIoHandler handler);
}
