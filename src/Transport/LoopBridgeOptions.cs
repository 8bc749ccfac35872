using System.Net;
using System.Net.Sockets;

namespace LoopBridge;

/// <summary>
/// How LoopBridge runs in this process. Bound from the configuration section <c>LoopBridge</c>, changed by the callback of
/// <c>UseLoopBridge</c>, checked when the application starts and fixed from then on.
/// </summary>
public sealed class LoopBridgeOptions
{
    /// <summary>The configuration section: <c>LoopBridge</c>.</summary>
    public const string SectionName = "LoopBridge";

    /// <summary>
    /// Whether Kestrel's sockets run on our loops. False: stock sockets; protocols and loop handlers then run over pipes. Defaults to true.
    /// </summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// Which engine is native in each of the process's threads; the other is built on it. Everything is served in both modes, which differ
    /// in the order of things within a turn, and in what is nearer to the driver. Defaults to <see cref="LoopBridgeMode.ReactorOnLoop"/>.
    /// A <c>LoopGroup</c> that the application registers itself is what it is, whatever this says.
    /// </summary>
    public LoopBridgeMode Mode { get; set; } = LoopBridgeMode.ReactorOnLoop;

    /// <summary>The mechanism underneath each loop or reactor. Defaults to <see cref="LoopDriver.Auto"/>.</summary>
    public LoopDriver Driver { get; set; } = LoopDriver.Auto;

    /// <summary>
    /// How many loops. Zero, the default: one for every two processors, and one at least. HTTP handlers that take a millisecond
    /// or more, and are too much for so few, run on worker threads beside them while processors are idle. At most 1024.
    /// </summary>
    public int LoopCount { get; set; }

    /// <summary>
    /// Where HTTP handlers and other users of the connection's pipes run, unless their endpoint says otherwise
    /// (<c>UseLoopScheduling</c>). Defaults to <see cref="LoopScheduling.Adaptive"/>.
    /// </summary>
    public LoopScheduling Scheduling { get; set; } = LoopScheduling.Adaptive;

    /// <summary>
    /// How long such code may hold its loop, under <see cref="LoopScheduling.Adaptive"/>, until another thread goes on with the loop. The
    /// loops are looked at each 5 ms, so it may be that much more. From 1 ms to 1 minute; defaults to 20 ms.
    /// </summary>
    public TimeSpan OverstayLimit { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// A loop that something else holds for longer, such as a reactor protocol or a loop handler, which nobody can take it from, is
    /// reported in the log when it goes on. From 1 ms to 1 hour; defaults to 250 ms.
    /// </summary>
    public TimeSpan StallLimit { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Threads that may run, at the same time, code that has overstayed on a loop, and loops that it was on. Beyond that number such code
    /// waits, and a loop is not taken over. They are started as they are needed and end when they are not. From 1 to 32 767; defaults to
    /// 256.
    /// </summary>
    public int MaxWorkerThreads { get; set; } = 256;

    /// <summary>Connections the kernel queues before they are accepted, for each endpoint. Defaults to 512, like Kestrel.</summary>
    public int Backlog { get; set; } = 512;

    /// <summary>Sends small segments at once on TCP connections (no Nagle). Defaults to true.</summary>
    public bool NoDelay { get; set; } = true;

    /// <summary>Lets several processes listen on one port and share its connections (<c>SO_REUSEPORT</c>). Defaults to false.</summary>
    public bool ReusePort { get; set; }

    /// <summary>
    /// Makes and binds the listening socket of each endpoint that Kestrel asks for, as the option of that name does for stock sockets: for
    /// socket options that have to be set before the port opens (transparent mode, a device, marks), or under another umask. Called on
    /// the thread that starts the server or reloads its configuration, once for each bind, with the endpoint as configured. The socket is
    /// ours from then on; we listen on it, and report the address that it has. What it throws ends the start, as a failed bind does.
    /// <see cref="ReusePort"/> and the choice between one address family and both are its own. To change only a detail, start from
    /// <c>SocketTransportOptions.CreateDefaultBoundListenSocket</c>. Code only: no configuration key. Defaults to null: we make it.
    /// </summary>
    public Func<EndPoint, Socket>? CreateBoundListenSocket { get; set; }

    /// <summary>
    /// Connections that each endpoint may have at a time, whatever runs on them. <see cref="WhenFull"/> says what becomes of more.
    /// Kestrel's <c>MaxConcurrentConnections</c> counts later, for all endpoints together, and always closes. Defaults to null: no limit
    /// but the descriptors of the process.
    /// </summary>
    public int? MaxConnectionsPerEndpoint { get; set; }

    /// <summary>
    /// What becomes of connections to an endpoint that has <see cref="MaxConnectionsPerEndpoint"/>. Defaults to
    /// <see cref="LoopFullAction.Wait"/>.
    /// </summary>
    public LoopFullAction WhenFull { get; set; } = LoopFullAction.Wait;

    /// <summary>
    /// How long connections that have just come may take to begin, when the server stops or an endpoint's configuration changes. Kestrel
    /// closes what has no request in hand as soon as accepting ends; requests that are just arriving would be lost with it. The port is
    /// closed at once in any case, and nothing is waited for if nobody came within this time, or if each has begun. At most one minute.
    /// Defaults to half a second. Zero: the end shows at once, as on stock sockets.
    /// </summary>
    public TimeSpan UnbindGrace { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Bytes received and not yet looked at by the application, for each connection, at which receiving pauses until half of them are gone.
    /// Defaults to 1 MiB. Null: no limit, which with untrusted clients is a way to exhaust memory. Kestrel's <c>MaxRequestBufferSize</c>
    /// does not reach a transport; this does.
    /// </summary>
    public long? MaxReadBufferSize { get; set; } = 1024 * 1024;

    /// <summary>
    /// Bytes flushed and not yet sent, for each connection, above which a flush waits until half of them are gone. Defaults to 64 KiB.
    /// Null: no limit, which with clients that do not read is a way to exhaust memory.
    /// </summary>
    public long? MaxWriteBufferSize { get; set; } = 64 * 1024;

    /// <summary>
    /// Bytes that a reactor protocol may have written beyond what its peer reads before the connection is aborted. Reactor-style writes
    /// never wait, so this is their only limit. Defaults to 16 MiB.
    /// </summary>
    public long MaxUnsentBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// Ends aborted connections with FIN in place of RST. Defaults to what the <see cref="AppContext"/> switch
    /// <c>Microsoft.AspNetCore.Server.Kestrel.FinOnError</c> says, which Kestrel's own sockets follow, too; that is false where it is not
    /// set.
    /// </summary>
    public bool FinOnError { get; set; } = AppContext.TryGetSwitch(FinOnErrorSwitch, out bool isOn) && isOn;

    /// <summary>
    /// Serves clients that finish sending before they read the answer (half-close), on all endpoints; <c>UseHalfClose</c> does so for one.
    /// <c>ConnectionClosed</c>, and with it <c>HttpContext.RequestAborted</c>, then fires when the connection is closed. Otherwise the
    /// client's FIN fires it, as Kestrel's users expect, and HTTP/1 gives up the request that it is at. The price: that a client has gone
    /// away is noticed only when something is sent to it. Defaults to false.
    /// </summary>
    public bool AllowHalfClose { get; set; }

    private const string FinOnErrorSwitch = "Microsoft.AspNetCore.Server.Kestrel.FinOnError";
}
