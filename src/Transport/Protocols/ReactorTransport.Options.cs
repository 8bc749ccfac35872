using LoopBridge.Drivers;

namespace LoopBridge.Protocols;

/// <remarks>Options of the socket underneath, where there is one.</remarks>
internal sealed partial class ReactorTransport
{
    public bool NoDelay
    {
        get => TcpSocket?.GetNoDelay() ?? false;
        set => TcpSocket?.SetNoDelay(value);
    }

    public bool KeepAlive
    {
        get => TcpSocket?.GetKeepAlive() ?? false;
        set => TcpSocket?.SetKeepAlive(value);
    }

    // Closed sockets are asked nothing: the number may be somebody else's by now.
    private RawSocket? TcpSocket
    {
        get
        {
            ThrowIfOffLoop();
            return !_socket.IsClosing && _socket.RawSocket is { IsTcp: true } raw ? raw : null;
        }
    }
}
