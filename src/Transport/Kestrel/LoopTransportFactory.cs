using System.Buffers;
using System.Net;
using System.Net.Sockets;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LoopBridge.Kestrel;

/// <summary>
/// What Kestrel loads: binds IP, UNIX and inherited endpoints on our loops, and leaves every other kind to whoever else is registered.
/// </summary>
internal sealed class LoopTransportFactory(
    LoopGroup group,
    IOptions<LoopBridgeOptions> options,
    IMemoryPoolFactory<byte> pools,
    ILoggerFactory loggers,
    AcceptCounters? counters = null,
    TimeProvider? clock = null)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    /// <summary>The category of the connections' events.</summary>
    internal const string LogCategory = "LoopBridge.Transport";

    private readonly ILogger _logger = loggers.CreateLogger(LogCategory);
    private readonly AcceptCounters _counters = counters ?? new AcceptCounters();
    private int _bound;

    /// <summary>How long a listener's end waits for a loop that a handler holds.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Exact types: a class derived from one of these may belong to another transport.</summary>
    public bool CanBind(EndPoint endpoint)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        Type type = endpoint.GetType();
        return options.Value.Enabled
            && (type == typeof(IPEndPoint) || type == typeof(UnixDomainSocketEndPoint) || type == typeof(FileHandleEndPoint));
    }

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        cancellationToken.ThrowIfCancellationRequested();
        if (!CanBind(endpoint))
        {
            throw new NotSupportedException($"LoopBridge cannot listen on {endpoint} ({endpoint.GetType().Name}): use an IP, UNIX or file-handle endpoint.");
        }

        group.Start();

        // Listeners take turns, so that no loop accepts for all of them.
        IEventLoop loop = group.Members[(int)((uint)Interlocked.Increment(ref _bound) % (uint)group.Count)].Loop;
        LoopConnectionListener listener = Open(endpoint, loop);
        try
        {
            await listener.StartAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            return listener;
        }
        catch (OperationCanceledException)
        {
            // A handler holds the loop. The caller's patience is at its end; the socket is closed as soon as the loop is free.
            _ = listener.DisposeAsync().AsTask();
            throw;
        }
        catch
        {
            await listener.DisposeAsync().ConfigureAwait(false); // the failure is the caller's; socket, file and pools must not stay
            throw;
        }
    }

    private LoopConnectionListener Open(EndPoint endPoint, IEventLoop loop)
    {
        LoopBridgeOptions settings = options.Value;
        var listen = new ListenSettings { Backlog = settings.Backlog, NoDelay = settings.NoDelay, ReusePort = settings.ReusePort };
        AcceptLimit? limit = settings.MaxConnectionsPerEndpoint is { } max
            ? new AcceptLimit(max, rejects: settings.WhenFull == LoopFullAction.Close)
            : null;
        BoundSocket socket = BoundSocket.Open(HandlerSocketDriver.For(loop), endPoint, listen, settings.CreateBoundListenSocket);
        var standing = new EndpointStanding(clock ?? TimeProvider.System, socket.EndPoint.ToString());
        var connections = new List<LoopConnectionSettings>(group.Count);
        try
        {
            foreach (LoopMember member in group.Members)
            {
                MemoryPool<byte> pool = pools.Create(new MemoryPoolOptions { Owner = "kestrel" });
                connections.Add(new LoopConnectionSettings(settings, member, group.Workers, standing, pool, _logger) { Limit = limit });
            }

            return new LoopConnectionListener(socket, loop, group, listen, [.. connections], limit, _counters, _logger)
            {
                Patience = Patience,
                Grace = settings.UnbindGrace,
            };
        }
        catch
        {
            // The failure is the caller's; socket, file and pools must not stay.
            socket.RemoveName();
            socket.Dispose();
            connections.ForEach(static unused => unused.Release());
            throw;
        }
    }
}
