using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Drivers.Managed;
using LoopBridge.Loops;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoopBridge.Sockets;

/// <summary>
/// Listening sockets for those who do not want a whole server: bound the way servers want them, and accepted from on any loop. Descends
/// from Tornado's <c>netutil</c>.
/// </summary>
public static class LoopSockets
{
    /// <summary>How many connections may wait to be accepted where nothing else is said: 128, Tornado's.</summary>
    public const int DefaultBacklog = 128;

    private static readonly IPAddress[] AllFamilies = [IPAddress.Any, IPAddress.IPv6Any];

    /// <summary>
    /// Listens on one port of all families, with a socket for each: IPv6 sockets take no IPv4 connections. Any thread; the port is open
    /// when this returns.
    /// </summary>
    /// <param name="port">The port. Zero: one that is free in all families, which the system chooses.</param>
    /// <param name="addresses">
    /// Which addresses. Defaults to all of IPv4 and all of IPv6; families that this machine lacks are left out as long as there is another.
    /// </param>
    /// <param name="backlog">How many connections may wait to be accepted. Defaults to 128.</param>
    /// <param name="reusePort">
    /// Whether other sockets may listen on the same port, of this or another process of the same user, if they say the same: the system
    /// spreads the connections. Defaults to false.
    /// </param>
    /// <returns>
    /// The sockets, non-blocking and not inherited by child processes, in the order of the addresses. They belong to the caller.
    /// </returns>
    /// <exception cref="CannotListenException">An address is taken, not allowed or not there. Nothing stays open.</exception>
    /// <exception cref="PlatformNotSupportedException"><paramref name="reusePort"/> on Windows, which has nothing like it.</exception>
    public static IReadOnlyList<Socket> Bind(
        int port, IEnumerable<IPAddress>? addresses = null, int backlog = DefaultBacklog, bool reusePort = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(port, IPEndPoint.MinPort);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, IPEndPoint.MaxPort);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(backlog);
        List<RawSocket> sockets = BindAll(ManagedSocket.Create, addresses, port, backlog, reusePort);
        return sockets.ConvertAll(static socket => socket.Detach());
    }

    /// <summary>
    /// Listens on a UNIX socket. On Linux an old socket of that name is replaced, whether or not somebody still listens on it; a file of
    /// any other kind is an error. Any thread.
    /// </summary>
    /// <param name="path">
    /// The file. It stays when the socket is closed. A name that begins with NUL is an abstract one, without a file.
    /// </param>
    /// <param name="mode">Who may connect. Defaults to the user of this process alone (0600).</param>
    /// <param name="backlog">How many connections may wait to be accepted. Defaults to 128.</param>
    /// <returns>The socket, non-blocking and not inherited by child processes. It belongs to the caller.</returns>
    /// <exception cref="CannotListenException">The path is taken, not allowed, too long or not there.</exception>
    public static Socket BindUnix(string path, UnixFileMode mode = UnixListenSocket.DefaultMode, int backlog = DefaultBacklog)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(backlog);
        return BindUnix(new UnixDomainSocketEndPoint(path), mode, backlog);
    }

    internal static Socket BindUnix(UnixDomainSocketEndPoint endPoint, UnixFileMode mode, int backlog)
    {
        try
        {
            return UnixListenSocket.Listen(endPoint, mode, backlog).Detach();
        }
        catch (Exception e) when (CannotListenException.Takes(e))
        {
            throw CannotListenException.From(e); // taken, not ours, not there
        }
    }

    /// <summary>
    /// Accepts on a loop. Each event accepts at most 64 connections, so that the loop's other work goes on in between; when the process
    /// runs out of descriptors, accepting rests for a while. Loop thread.
    /// </summary>
    /// <param name="loop">Any loop.</param>
    /// <param name="socket">A listening socket. It stays the caller's, open and bound after the handler was disposed of.</param>
    /// <param name="accepted">
    /// Takes each connection: a non-blocking socket that is its own from here on. Called on the loop's thread. What it throws goes to the
    /// loop's exception handler, and closes that connection alone.
    /// </param>
    /// <param name="logger">Told at warning when the process runs out of descriptors. Defaults to nobody.</param>
    /// <returns>Ends the accepting when disposed of, on the loop's thread. May be disposed of within <paramref name="accepted"/>.</returns>
    /// <remarks>
    /// A connection that died while it waited is skipped. When the listening socket itself is broken, the loop's exception handler gets a
    /// <see cref="SocketException"/>, and accepting goes on after a while.
    /// </remarks>
    public static IDisposable AddAcceptHandler(this IEventLoop loop, Socket socket, Action<Socket> accepted, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentNullException.ThrowIfNull(accepted);
        return AcceptHandler.Start(loop, socket, accepted, logger ?? NullLogger.Instance);
    }

    /// <summary>For servers, which want the sockets of their loop's driver.</summary>
    internal static List<RawSocket> BindAll(
        Func<AddressFamily, RawSocket> create, IEnumerable<IPAddress>? addresses, int port, int backlog, bool reusePort)
    {
        if (reusePort && OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException("Windows cannot share a port among listeners: leave reusePort off.");
        }

        var settings = new ListenSettings { Backlog = backlog, ReusePort = reusePort, IPv6Only = true };
        try
        {
            return ListeningSockets.ListenAll(create, addresses is null ? AllFamilies : [.. addresses], port, settings);
        }
        catch (Exception e) when (CannotListenException.Takes(e))
        {
            throw CannotListenException.From(e); // taken, not ours, not there
        }
    }
}
