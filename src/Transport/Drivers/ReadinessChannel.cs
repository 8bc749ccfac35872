using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Drivers;

/// <summary>
/// A stream channel over a mechanism that reports readiness. Receives until the kernel would block, then arms and waits for the next report.
/// </summary>
internal sealed class ReadinessChannel(RawSocket socket, Func<ReadinessChannel, IoRegistration> register) : IStreamChannel, IIoHandler
{
    private IStreamChannelOwner? _owner;
    private IoRegistration? _registration;
    private bool _connecting;
    private bool _mayReceive;
    private bool _hungUp;
    private bool _sendWaits;
    private bool _closed;

    public EndPoint? LocalEndPoint => socket.LocalEndPoint;

    public EndPoint? RemoteEndPoint => socket.RemoteEndPoint;

    public RawSocket Socket => socket;

    public bool CanSendFromAnyThread => true;

    public void Start(IStreamChannelOwner owner)
    {
        _owner = owner;
        _registration = register(this);
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
        if (!_mayReceive)
        {
            return IoResult.Pending;
        }

        IoResult result = socket.Receive(buffer);

        // epoll(7), question 9: a read that comes back short has emptied a stream socket, which saves the call that would say "would block". Not so
        // after the peer hung up: then the end of the stream, or the error, is still to be read.
        if (result.IsPending || (result.Count < buffer.Length && !_hungUp))
        {
            _mayReceive = false;
            _registration!.Arm(IoEvents.Read);
        }

        return result;
    }

    public IoResult Send(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
    {
        IoResult result = socket.Send(buffers);
        if (result.IsPending)
        {
            _sendWaits = true;
            _registration!.Arm(IoEvents.Write);
        }

        return result;
    }

    public IoResult TrySend(ReadOnlySpan<ReadOnlyMemory<byte>> buffers) => socket.Send(buffers);

    public void ShutdownSend() => socket.ShutdownSend();

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

        socket.Dispose();
        _owner?.OnClosed();
    }

    void IIoHandler.OnEvents(IoEvents events)
    {
        IStreamChannelOwner owner = _owner!;
        if ((events & (IoEvents.HangUp | IoEvents.Error)) != 0)
        {
            _hungUp = true;
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
            owner.OnReceivable();
        }

        if (_sendWaits && !_closed && (events & (IoEvents.Write | IoEvents.HangUp | IoEvents.Error)) != 0)
        {
            _sendWaits = false;
            owner.OnSendReady(IoResult.Of(0));
        }
    }
}
