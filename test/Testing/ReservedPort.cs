using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Testing;

/// <summary>
/// A port that nobody listens on, on the loopback of either family: bound for as long as this lives, so that a connect is refused for certain.
/// One that was free a moment ago is anybody's, because other test projects run at the same time. Who binds as servers do, with
/// <c>SO_REUSEADDR</c>, can still have it.
/// </summary>
public sealed class ReservedPort : IDisposable
{
    private readonly Socket _ipv4;
    private readonly Socket? _ipv6;

    public ReservedPort()
    {
        // What the system chooses for the one family may be somebody's in the other.
        for (int choice = 1; ; choice++)
        {
            _ipv4 = Bind(IPAddress.Loopback, 0);
            try
            {
                _ipv6 = Bind(IPAddress.IPv6Loopback, Number);
                return;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse && choice < 16)
            {
                _ipv4.Dispose(); // another choice
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported)
            {
                return; // this machine has no such loopback
            }
        }
    }

    public int Number => ((IPEndPoint)_ipv4.LocalEndPoint!).Port;

    public IPEndPoint EndPoint => new(IPAddress.Loopback, Number);

    public void Dispose()
    {
        _ipv4.Dispose();
        _ipv6?.Dispose();
    }

    // .NET sets SO_REUSEADDR on TCP sockets before it binds them, where that does not mean that others may take the port away.
    private static Socket Bind(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
