using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Testing;

/// <summary>
/// A port of the loopback that is the test's alone: nobody is given it who asks for any, in this process or another, and a connect is
/// refused while the test does not listen there. For tests that bind it by its number, leave it and bind it again.
/// </summary>
/// <remarks>
/// A socket that is bound and never listens holds it, for both families. Whoever asks for this very port may have it beside that socket,
/// because .NET sets SO_REUSEADDR with each bind, as our listeners do (Windows needs no option); the kernel, which chooses for those who
/// ask for any port, passes over it.
/// </remarks>
public sealed class ReservedPort : IDisposable
{
    private readonly List<Socket> _holders = [];

    public ReservedPort()
    {
        Hold(AddressFamily.InterNetwork, IPAddress.Loopback, 0);
        while (Socket.OSSupportsIPv6 && !TryHoldSix())
        {
            Hold(AddressFamily.InterNetwork, IPAddress.Loopback, 0); // kept until the end, so that another one is given
        }
    }

    public IPEndPoint EndPoint => (IPEndPoint)_holders.Last(static holder => holder.AddressFamily == AddressFamily.InterNetwork).LocalEndPoint!;

    public void Dispose() => _holders.ForEach(static holder => holder.Dispose());

    private bool TryHoldSix()
    {
        try
        {
            Hold(AddressFamily.InterNetworkV6, IPAddress.IPv6Loopback, EndPoint.Port);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return false; // somebody else's in that family
        }
    }

    private void Hold(AddressFamily family, IPAddress address, int port)
    {
        var holder = new Socket(family, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            holder.Bind(new IPEndPoint(address, port));
            _holders.Add(holder);
        }
        catch
        {
            holder.Dispose(); // the failure is the caller's
            throw;
        }
    }
}
