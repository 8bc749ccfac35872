using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Sockets;

internal static partial class ListeningSockets
{
    // Port 0: what the system chose for the first family may be somebody's in the second. Others choose from the same range meanwhile.
    private const int MaxChoices = 16;

    /// <summary>
    /// Listens on each address, all on one port, also where the system chooses it. Families that this machine lacks are left out as long as
    /// there is another one. All or nothing: what was made is closed when a later one fails.
    /// </summary>
    internal static List<RawSocket> ListenAll(
        Func<AddressFamily, RawSocket> create, IReadOnlyList<IPAddress> addresses, int port, ListenSettings settings)
    {
        for (int choice = 1; ; choice++)
        {
            try
            {
                return ListenOnSamePort(create, addresses, port, settings);
            }
            catch (AddressInUseException) when (port == 0 && choice < MaxChoices)
            {
                // Expected now and then: the next choice is another one.
            }
        }
    }

    private static List<RawSocket> ListenOnSamePort(
        Func<AddressFamily, RawSocket> create, IReadOnlyList<IPAddress> addresses, int port, ListenSettings settings)
    {
        var sockets = new List<RawSocket>(addresses.Count);
        ListenException? missing = null;
        try
        {
            foreach (IPAddress address in addresses)
            {
                var endPoint = new IPEndPoint(address, port);
                try
                {
                    sockets.Add(Listen(Create(create, endPoint), endPoint, settings));
                }
                catch (ListenException e) when (IsMissing(address, e.SocketErrorCode))
                {
                    missing = e; // the others will do
                    continue;
                }

                port = ((IPEndPoint)sockets[^1].LocalEndPoint!).Port;
            }

            return sockets.Count > 0 ? sockets
                : throw missing ?? (Exception)new ArgumentException("There is no address to listen on.", nameof(addresses));
        }
        catch
        {
            sockets.ForEach(static socket => socket.Dispose()); // the failure goes on to the caller; the sockets must not
            throw;
        }
    }

    private static RawSocket Create(Func<AddressFamily, RawSocket> create, IPEndPoint endPoint)
    {
        try
        {
            return create(endPoint.AddressFamily);
        }
        catch (SocketException e)
        {
            throw new ListenException(endPoint, e.SocketErrorCode); // out of descriptors, or a family this machine lacks
        }
    }

    // A kernel without IPv6 knows no such sockets; one in which it is switched off knows them and has no address for them.
    private static bool IsMissing(IPAddress address, SocketError error)
        => error is SocketError.AddressFamilyNotSupported or SocketError.ProtocolNotSupported
            || (error == SocketError.AddressNotAvailable
                && (address.Equals(IPAddress.IPv6Any) || address.Equals(IPAddress.IPv6Loopback)));
}
