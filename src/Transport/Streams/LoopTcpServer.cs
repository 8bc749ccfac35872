using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoopBridge.Streams;

/// <summary>
/// Accepts connections on a loop and gives each to an async handler as a <see cref="LoopStream"/>. Descends from Tornado's
/// <c>TCPServer</c>.
/// </summary>
/// <remarks>
/// <para>
/// Give it a handler, or derive from it and override <see cref="HandleStreamAsync"/>. Handlers run on the loop's thread and continue there
/// after each await; accepting goes on meanwhile. When a handler has ended, its connection is closed, after sending what was written. A
/// handler that fails is reported once, and costs its own connection alone; a <see cref="StreamClosedException"/> of its stream is the
/// everyday end of a connection and no failure.
/// </para>
/// <para>
/// Three ways to begin: <see cref="Listen(int, IPAddress?)"/> listens at once; <see cref="Bind(int, IPAddress?)"/> opens the port and
/// <see cref="Start"/> begins to accept, when everything else is ready; <see cref="AddSocket(Socket)"/> takes listening sockets that
/// somebody else made. All may be mixed and repeated.
/// </para>
/// <para>
/// One process serves one server's connections on one loop. To use several processes, let each set
/// <see cref="LoopTcpServerOptions.ReusePort"/>, or start them with an inherited listening descriptor for
/// <see cref="AddSocket(SafeSocketHandle)"/>: unlike Tornado's, a running .NET process cannot be forked.
/// </para>
/// <para>Members may be called from any thread unless they say otherwise.</para>
/// </remarks>
public partial class LoopTcpServer : IAsyncDisposable
{
    private readonly LoopTcpServerOptions _options;
    private readonly Func<LoopStream, Task>? _handler;
    private readonly ISocketDriver _driver;
    private readonly SslServerAuthenticationOptions? _tls;
    private readonly Lock _gate = new();
    private readonly List<LoopServerPort> _ports = [];
    private readonly List<LoopServerPort> _bound = [];
    private bool _started;
    private bool _stopped;

    /// <summary>Makes a server that gives connections to a function.</summary>
    /// <param name="loop">Where it accepts and the streams live. Any loop.</param>
    /// <param name="handler">Serves one connection; its end is the end of the connection.</param>
    /// <param name="options">Settings; null for the defaults.</param>
    /// <exception cref="ArgumentException">A setting is out of its range, or TLS has no usable certificate.</exception>
    /// <exception cref="FileNotFoundException">A certificate's file does not exist.</exception>
    public LoopTcpServer(IEventLoop loop, Func<LoopStream, Task> handler, LoopTcpServerOptions? options = null)
        : this(loop, options)
    {
        ArgumentNullException.ThrowIfNull(handler);
        _handler = handler;
    }

    /// <summary>For servers that override <see cref="HandleStreamAsync"/>.</summary>
    /// <inheritdoc cref="LoopTcpServer(IEventLoop, Func{LoopStream, Task}, LoopTcpServerOptions?)"/>
    protected LoopTcpServer(IEventLoop loop, LoopTcpServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(loop);
        Loop = loop;
        _options = (options ?? new LoopTcpServerOptions()).Validated();
        Logger = _options.Logger ?? NullLogger.Instance;
        _tls = _options.Tls;
        ListenSettings = new ListenSettings { NoDelay = (_options.Stream ?? LoopStreamOptions.Default).NoDelay };
        _driver = HandlerSocketDriver.For(loop);
    }

    /// <summary>The loop it accepts on.</summary>
    public IEventLoop Loop { get; }

    internal ILogger Logger { get; }

    internal ListenSettings ListenSettings { get; }

    /// <summary>Where it listens, in the order begun: the ports that the system chose, too. Empty after the stop.</summary>
    public IReadOnlyList<EndPoint> EndPoints
    {
        get
        {
            lock (_gate)
            {
                return [.. _ports.Select(static port => port.EndPoint).OfType<EndPoint>()];
            }
        }
    }

    /// <summary>Listens at once, on one port of all addresses of all families, or on one address.</summary>
    /// <param name="port">The port. Zero: one that is free, the same in all families; see <see cref="EndPoints"/>.</param>
    /// <param name="address">Which address. Defaults to all; <see cref="IPAddress.IPv6Any"/> means all of IPv6 alone.</param>
    /// <exception cref="CannotListenException">The port is taken, not allowed or not there. Nothing stays open.</exception>
    /// <exception cref="InvalidOperationException">The server was stopped.</exception>
    /// <exception cref="ObjectDisposedException">The loop is closed.</exception>
    public void Listen(int port, IPAddress? address = null) => Add(Open(port, address), startNow: true);

    /// <summary>Listens at once on an endpoint.</summary>
    /// <param name="endPoint">
    /// An <see cref="IPEndPoint"/>, or a <see cref="UnixDomainSocketEndPoint"/>, whose file replaces an old socket of that name on Linux
    /// and is removed when the server stops.
    /// </param>
    /// <inheritdoc cref="Listen(int, IPAddress?)"/>
    /// <exception cref="ArgumentException">It is an endpoint of another kind.</exception>
    public void Listen(EndPoint endPoint) => Add(Open(endPoint), startNow: true);

    /// <summary>
    /// Opens a port: clients can connect and wait from now on. They are accepted after <see cref="Start"/>, or at once if that was called.
    /// </summary>
    /// <inheritdoc cref="Listen(int, IPAddress?)"/>
    public void Bind(int port, IPAddress? address = null) => Add(Open(port, address), startNow: false);

    /// <inheritdoc cref="Bind(int, IPAddress?)"/>
    /// <inheritdoc cref="Listen(EndPoint)" path="/param"/>
    public void Bind(EndPoint endPoint) => Add(Open(endPoint), startNow: false);

    /// <summary>Accepts on all that was bound, and from now on on what will be.</summary>
    /// <exception cref="InvalidOperationException">It was called before, or the server was stopped.</exception>
    /// <exception cref="ObjectDisposedException">The loop is closed.</exception>
    public void Start()
    {
        LoopServerPort[] bound;
        lock (_gate)
        {
            ThrowIfStopped();
            if (_started)
            {
                throw new InvalidOperationException("The server was started before: Start can be called once.");
            }

            _started = true;
            bound = [.. _bound];
            _bound.Clear();
        }

        foreach (LoopServerPort port in bound)
        {
            port.Start();
        }
    }

    /// <summary>Accepts on a listening socket that somebody else made, for example by <see cref="LoopSockets.Bind"/>.</summary>
    /// <param name="socket">
    /// It is the server's from now on, and this object is of no use any more: on Linux it is disposed of. After an exception it is the
    /// caller's as before.
    /// </param>
    /// <exception cref="ArgumentException">It is no listening stream socket of a kind that can be used here.</exception>
    /// <exception cref="SocketException">The process is out of descriptors.</exception>
    /// <exception cref="InvalidOperationException">The server was stopped.</exception>
    /// <exception cref="ObjectDisposedException">The loop is closed.</exception>
    public void AddSocket(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        AddSocket(socket.SafeHandle);
    }

    /// <summary>Accepts on a listening socket that the process was given: by systemd (from descriptor 3), or by its parent.</summary>
    /// <param name="handle">As of <see cref="AddSocket(Socket)"/>; for example <c>new SafeSocketHandle(3, ownsHandle: true)</c>.</param>
    /// <inheritdoc cref="AddSocket(Socket)"/>
    public void AddSocket(SafeSocketHandle handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        lock (_gate)
        {
            ThrowIfStopped();
        }

        Add([Wrap(ReadyMadeSockets.TakeOverListener(_driver, handle), file: null)], startNow: true);
    }

    /// <summary>As <see cref="AddSocket(Socket)"/>, for all that <see cref="LoopSockets.Bind"/> gave.</summary>
    public void AddSockets(IEnumerable<Socket> sockets)
    {
        ArgumentNullException.ThrowIfNull(sockets);
        foreach (Socket socket in sockets)
        {
            AddSocket(socket);
        }
    }

    /// <summary>
    /// Ends the accepting. Connections that are live go on. On the loop's thread the ports are free when this returns, otherwise as soon as
    /// the loop turns (<see cref="StopAsync"/> waits for it). Harmless when repeated, and within a handler.
    /// </summary>
    public void Stop()
    {
        LoopServerPort[] ports;
        lock (_gate)
        {
            _stopped = true;
            ports = [.. _ports];
            _ports.Clear();
            _bound.Clear();
        }

        foreach (LoopServerPort port in ports)
        {
            port.Dispose();
        }
    }

    // The sockets listen already; whatever goes wrong from here on, they must not stay behind.
    private void Add(List<LoopServerPort> ports, bool startNow)
    {
        bool stopped;
        lock (_gate)
        {
            stopped = _stopped;
            if (!stopped)
            {
                _ports.AddRange(ports);
                startNow |= _started;
                if (!startNow)
                {
                    _bound.AddRange(ports);
                }
            }
        }

        if (stopped)
        {
            ports.ForEach(static port => port.Dispose());
            ThrowIfStopped();
        }

        if (startNow)
        {
            ports.ForEach(static port => port.Start());
        }
    }

    private List<LoopServerPort> Open(int port, IPAddress? address)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(port, IPEndPoint.MinPort);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, IPEndPoint.MaxPort);
        IPAddress[]? addresses = address is null ? null : [address];
        return LoopSockets.BindAll(_driver.CreateSocket, addresses, port, _options.Backlog, _options.ReusePort)
            .ConvertAll(socket => Wrap(socket, file: null));
    }

    private List<LoopServerPort> Open(EndPoint endPoint)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        return endPoint switch
        {
            IPEndPoint ip => Open(ip.Port, ip.Address),
            UnixDomainSocketEndPoint unix => [OpenUnix(unix)],
            _ => throw new ArgumentException(
                $"Cannot listen on a {endPoint.GetType().Name}: only on an IPEndPoint or a UnixDomainSocketEndPoint.", nameof(endPoint)),
        };
    }

    private LoopServerPort OpenUnix(UnixDomainSocketEndPoint endPoint)
    {
        Socket made = LoopSockets.BindUnix(endPoint, _options.UnixSocketMode, _options.Backlog);
        bool isFile = OperatingSystem.IsLinux() && !UnixListenSocket.IsAbstract(endPoint);
        SocketFile? file = isFile ? SocketFile.Find(endPoint.ToString()) : null;
        try
        {
            return Wrap(ReadyMadeSockets.TakeOver(_driver, made.SafeHandle), file);
        }
        catch
        {
            made.Dispose(); // out of descriptors, which the caller hears
            file?.Remove();
            throw;
        }
    }

    private LoopServerPort Wrap(RawSocket socket, SocketFile? file) => new(this, socket, file);

    private void ThrowIfStopped()
    {
        if (_stopped)
        {
            throw new InvalidOperationException("The server was stopped, which is for good: make a new one.");
        }
    }
}
