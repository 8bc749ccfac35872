using System.Net;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using LoopBridge.Sockets;
using Microsoft.AspNetCore.Connections;
using SocketException = System.Net.Sockets.SocketException;

namespace LoopBridge.Protocols;

/// <summary>Accepts on one loop and gives each connection there a protocol. A period lasts from a start to the stop after it.</summary>
internal sealed partial class ListeningPort : IListeningPort
{
    private readonly Lock _lock = new();
    private readonly Func<EndPoint?, RawSocket> _open;
    private ListeningPeriod _period;

    private ListeningPort(
        IReactor reactor,
        EndPoint? endPoint,
        Func<EndPoint?, RawSocket> open,
        IProtocolFactory factory,
        TransportOptions options,
        ListenSettings settings)
    {
        Reactor = reactor;
        Loop = ReactorNetwork.LoopOf(reactor);
        Factory = factory;
        FactoryName = factory.ToString() ?? factory.GetType().Name; // once: a name that cannot fail later (R-TCPP-27)
        Options = options;
        Settings = settings;
        _open = open;
        _period = Begin(endPoint);
        Host = _period.EndPoint;
    }

    public EndPoint Host { get; }

    internal IReactor Reactor { get; }

    internal IEventLoop Loop { get; }

    internal IProtocolFactory Factory { get; }

    internal string FactoryName { get; }

    internal TransportOptions Options { get; }

    internal ListenSettings Settings { get; }

    /// <summary>Listens as soon as this returns; accepts as soon as the loop turns. Any thread.</summary>
    internal static ListeningPort Open(
        IReactor reactor, EndPoint endPoint, IProtocolFactory factory, TransportOptions options, int backlog)
    {
        ListenSettings settings = Reactors(backlog);
        IEventLoop loop = ReactorNetwork.LoopOf(reactor);
        return new ListeningPort(reactor, endPoint, at => Listen(loop, at!, settings), factory, options, settings);
    }

    /// <summary>As <see cref="Open"/>, on the socket that <paramref name="open"/> gives, each time that the port starts.</summary>
    internal static ListeningPort Adopt(
        IReactor reactor, Func<RawSocket> open, IProtocolFactory factory, TransportOptions options)
        => new(reactor, null, _ => open(), factory, options, Reactors(ListenSettings.DefaultBacklog));

    public void StartListening()
    {
        lock (_lock)
        {
            if (!_period.IsOver)
            {
                throw new InvalidOperationException($"{this} is not stopped: await StopListeningAsync first.");
            }

            _period = Begin(Host);
        }
    }

    public Task StopListeningAsync() => Period.StopAsync();

    public void CloseNow()
    {
        if (!Loop.IsOnLoopThread)
        {
            throw new InvalidOperationException("A port is closed at once on the thread of its loop. On other threads, stop it.");
        }

        Period.CloseNow();
    }

    public ValueTask DisposeAsync() => new(StopListeningAsync());

    public override string ToString() => $"{FactoryName} on {Host}";

    private ListeningPeriod Period
    {
        get
        {
            lock (_lock)
            {
                return _period;
            }
        }
    }

    // The connections of a reactor have the system's defaults (R-CONN-25), and its ports turn clients away that they cannot serve (R-TCPP-03).
    private static ListenSettings Reactors(int backlog) => new()
    {
        Backlog = backlog,
        NoDelay = false,
        TurnsAwayWhenExhausted = true,
    };

    private ListeningPeriod Begin(EndPoint? endPoint)
    {
        RawSocket socket = _open(endPoint);
        ListeningPeriod period;
        try
        {
            Factory.DoStart();
            period = new ListeningPeriod(this, socket);
        }
        catch
        {
            socket.Dispose(); // what the factory threw goes on to the caller; the socket must not
            throw;
        }

        return period.TryBegin()
            ? period
            : throw new ObjectDisposedException(nameof(IEventLoop), $"Cannot listen on {period.EndPoint}: the loop is closed.");
    }

    private static RawSocket Listen(IEventLoop loop, EndPoint endPoint, ListenSettings settings)
    {
        try
        {
            return ListeningSockets.Listen(HandlerSocketDriver.For(loop), endPoint, settings);
        }
        catch (Exception e) when (e is SocketException or AddressInUseException)
        {
            throw new CannotListenException(endPoint, e); // expected: taken, not ours, not there
        }
    }
}
