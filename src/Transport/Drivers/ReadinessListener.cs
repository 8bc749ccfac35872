using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Drivers;

/// <summary>A listening socket over a mechanism that reports readiness.</summary>
internal sealed class ReadinessListener(RawSocket socket, Func<ReadinessListener, IoRegistration> register)
    : IListenChannel, IIoHandler, IOnBehalf
{
    private IListenChannelOwner? _owner;
    private IoRegistration? _registration;
    private bool _closed;

    object? IOnBehalf.Behalf => _owner;

    public EndPoint? LocalEndPoint => socket.LocalEndPoint;

    public void Start(IListenChannelOwner owner)
    {
        _owner = owner;
        _registration = register(this);
        _registration.Arm(IoEvents.Read);
    }

    public IoResult Accept(out RawSocket? accepted)
    {
        if (_closed)
        {
            accepted = null;
            return IoResult.Failed(SocketError.OperationAborted); // the descriptor's number may be somebody else's by now
        }

        IoResult result = socket.Accept(out accepted);
        if (result.IsPending)
        {
            _registration!.Arm(IoEvents.Read);
        }

        return result;
    }

    public void Close()
    {
        if (!_closed)
        {
            _closed = true;
            _registration?.Remove();
            socket.Dispose();
        }
    }

    void IIoHandler.OnEvents(IoEvents events) => _owner!.OnAcceptable();
}
