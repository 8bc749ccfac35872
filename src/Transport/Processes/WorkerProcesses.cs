using System.Net;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoopBridge.Processes;

/// <summary>
/// Runs a program several times as worker processes, which share listening sockets if they like, and replaces each that ends abnormally.
/// Descends from Tornado's <c>fork_processes</c>.
/// </summary>
/// <remarks>
/// <para>A running .NET process cannot be forked. So a worker is not a copy of this process but a program of its own, usually the same
/// one: it begins at its beginning, asks <see cref="WorkerProcess"/> who it is, and serves. Nothing but the task id, the sockets and the
/// environment is handed on; it does not matter which loops this process has already.</para>
/// <para>The launcher keeps the listening sockets open and never accepts from them: a connection that arrives while a worker is being
/// replaced waits in the queue.</para>
/// </remarks>
public sealed class WorkerProcesses : IDisposable
{
    private readonly WorkerProcessesOptions _options;
    private readonly ILogger _logger;
    private readonly List<RawSocket> _sockets = [];
    private int _state;

    /// <summary>Prepares workers; <see cref="RunAsync"/> starts them.</summary>
    /// <param name="loop">Where they are watched.</param>
    /// <param name="options">What they run, and how.</param>
    /// <param name="logger">Told of each start, end and replacement. Defaults to none.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public WorkerProcesses(IEventLoop loop, WorkerProcessesOptions options, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Loop = loop;
        _options = options;
        _logger = logger ?? NullLogger.Instance;
    }

    /// <summary>Where the workers are watched.</summary>
    public IEventLoop Loop { get; }

    /// <summary>Binds a socket that all workers get. Before <see cref="RunAsync"/>.</summary>
    /// <param name="endPoint">An IP end point, port 0 for a free port, or a UNIX one, whose file stays when the workers have ended.</param>
    /// <param name="backlog">How many connections may wait to be accepted. Defaults to 512, Kestrel's default.</param>
    /// <returns>The bound end point, with its port.</returns>
    /// <exception cref="CannotListenException">It cannot be bound; the message says why, and what to do.</exception>
    /// <exception cref="InvalidOperationException">The workers have been started.</exception>
    /// <exception cref="PlatformNotSupportedException">
    /// Not Linux, where alone sockets can be handed to children. Let each worker listen on the port by itself, and share it.
    /// </exception>
    public EndPoint Listen(EndPoint endPoint, int backlog = ListenSettings.DefaultBacklog)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(backlog);
        if (!ChildSpawner.IsSupported)
        {
            throw new PlatformNotSupportedException("Listening sockets can be handed to workers on Linux only (5.4 or later).");
        }

        if (_state != 0)
        {
            throw new InvalidOperationException("The workers have been started, or this object was disposed of: listen before.");
        }

        try
        {
            RawSocket socket = ListeningSockets.Listen(HandlerSocketDriver.For(Loop), endPoint, new ListenSettings { Backlog = backlog });
            _sockets.Add(socket);
            return socket.LocalEndPoint!;
        }
        catch (Exception e) when (CannotListenException.Takes(e))
        {
            throw CannotListenException.From(e);
        }
    }

    /// <summary>Starts the workers, and keeps their number until they end. Once. Any thread.</summary>
    /// <param name="cancellationToken">
    /// Stops them: each is asked to end (SIGTERM; killed on Windows), and killed if it has not done so in time.
    /// </param>
    /// <returns>Done when every worker has ended normally, or after a stop.</returns>
    /// <exception cref="ProcessStartException">The program cannot be started.</exception>
    /// <exception cref="WorkerRestartException">Workers ended abnormally too often. The others were stopped first.</exception>
    /// <exception cref="ObjectDisposedException">The loop was closed. The workers were asked to end.</exception>
    public Task RunAsync(CancellationToken cancellationToken = default)
    {
        if (Interlocked.CompareExchange(ref _state, 1, 0) != 0)
        {
            throw new InvalidOperationException("Workers are started once: make another WorkerProcesses to start them again.");
        }

        var supervisor = new WorkerSupervisor(Loop, _options, [.. _sockets.Select(socket => socket.Handle)], _logger);
        return supervisor.RunAsync(cancellationToken);
    }

    /// <summary>Closes the listening sockets of this process. Workers keep theirs and go on.</summary>
    public void Dispose()
    {
        _state = 1;
        _sockets.ForEach(socket => socket.Dispose());
        _sockets.Clear();
    }
}
