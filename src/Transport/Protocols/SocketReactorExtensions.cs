using System.Net.Sockets;
using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using LoopBridge.Sockets;

namespace LoopBridge.Protocols;

/// <summary>
/// Sockets that somebody else opened, for protocols: a service manager, a parent process. Descends from Twisted's <c>IReactorSocket</c>.
/// Every member may be used from any thread.
/// </summary>
/// <remarks>
/// The reactor works on a duplicate of the descriptor, which it closes, and never shuts the socket down; what was given stays the caller's.
/// Both mean one socket, which does not block any more.
/// </remarks>
public static class SocketReactorExtensions
{
    /// <summary>Accepts on a socket that listens already.</summary>
    /// <param name="reactor">The reactor, from <see cref="Bridge.ReactorExtensions.GetReactor"/>.</param>
    /// <param name="handle">
    /// The descriptor: <see cref="Socket.SafeHandle"/>, or <c>new SafeSocketHandle(number, ownsHandle: false)</c>.
    /// </param>
    /// <param name="family">Of which family it is.</param>
    /// <param name="factory">Builds the protocols.</param>
    /// <param name="options">Settings of the connections. Defaults to those of the reactor.</param>
    /// <returns>The port. It may start again after a stop as long as <paramref name="handle"/> is open.</returns>
    /// <exception cref="SocketException">It is not open.</exception>
    /// <exception cref="UnsupportedAddressFamilyException">There are no streams of that family.</exception>
    /// <exception cref="ArgumentException">It is of another family, or does not listen.</exception>
    /// <exception cref="ObjectDisposedException">The loop of the reactor is closed.</exception>
    public static IListeningPort AdoptStreamPort(
        this IReactor reactor, SafeHandle handle, AddressFamily family, IProtocolFactory factory, TransportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(handle);
        ArgumentNullException.ThrowIfNull(factory);
        ThrowIfNoStreams(family);
        IEventLoop loop = ReactorNetwork.LoopOf(reactor);
        return ListeningPort.Adopt(
            reactor,
            () => OfFamily(ReadyMadeSockets.ShareListener(HandlerSocketDriver.For(loop), handle), family),
            factory,
            options ?? ReactorNetwork.Of(reactor).Options);
    }

    /// <summary>Gives a connection that somebody else made or accepted a protocol.</summary>
    /// <param name="reactor">The reactor, from <see cref="Bridge.ReactorExtensions.GetReactor"/>.</param>
    /// <param name="handle">
    /// The descriptor: <see cref="Socket.SafeHandle"/>, or <c>new SafeSocketHandle(number, ownsHandle: false)</c>.
    /// </param>
    /// <param name="family">Of which family it is.</param>
    /// <param name="factory">
    /// Builds the protocol, on the loop: within this call if that is made there. It is not started or stopped for this.
    /// </param>
    /// <param name="options">Settings of the connection. Defaults to those of the reactor.</param>
    /// <exception cref="SocketException">It is not open.</exception>
    /// <exception cref="UnsupportedAddressFamilyException">There are no streams of that family.</exception>
    /// <exception cref="ArgumentException">It is of another family.</exception>
    /// <exception cref="ObjectDisposedException">The loop of the reactor is closed.</exception>
    public static void AdoptStreamConnection(
        this IReactor reactor, SafeHandle handle, AddressFamily family, IProtocolFactory factory, TransportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(handle);
        ArgumentNullException.ThrowIfNull(factory);
        ThrowIfNoStreams(family);
        IEventLoop loop = ReactorNetwork.LoopOf(reactor);
        RawSocket socket = OfFamily(ReadyMadeSockets.Share(HandlerSocketDriver.For(loop), handle), family);
        var work = new AdoptWork(reactor, loop, socket, factory, options ?? ReactorNetwork.Of(reactor).Options);
        if (loop.IsOnLoopThread)
        {
            work.Run();
        }
        else if (!loop.Post(work))
        {
            socket.Dispose();
            throw new ObjectDisposedException(nameof(IEventLoop), "Cannot adopt a connection: the loop is closed.");
        }
    }

    private static void ThrowIfNoStreams(AddressFamily family)
    {
        if (family is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6 or AddressFamily.Unix))
        {
            throw new UnsupportedAddressFamilyException(family, nameof(family));
        }
    }

    private static RawSocket OfFamily(RawSocket socket, AddressFamily family)
    {
        if (socket.Family == family)
        {
            return socket;
        }

        AddressFamily found = socket.Family;
        socket.Dispose();
        throw new ArgumentException($"The socket is of the family {found}, not {family}.", nameof(family));
    }

    private sealed class AdoptWork(
        IReactor reactor, IEventLoop loop, RawSocket socket, IProtocolFactory factory, TransportOptions options)
        : ILoopWork
    {
        public void Run()
        {
            using OutsideContext _ = OutsideContext.Enter();
            AcceptedConnection.Begin(reactor, loop, socket, factory, factory.ToString() ?? factory.GetType().Name, options);
        }
    }
}
