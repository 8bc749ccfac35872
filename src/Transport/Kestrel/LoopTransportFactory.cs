using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
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
    LoopGroup group, IOptions<LoopBridgeOptions> options, IMemoryPoolFactory<byte> pools, ILoggerFactory loggers, TimeProvider? clock = null)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    /// <summary>The category of the connections' events.</summary>
    internal const string LogCategory = "LoopBridge.Transport";

    private readonly ILogger _logger = loggers.CreateLogger(LogCategory);
    private int _bound;

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
        LoopBridgeOptions settings = options.Value;
        var listen = new ListenSettings { Backlog = settings.Backlog, NoDelay = settings.NoDelay, ReusePort = settings.ReusePort };

        // Listeners take turns, so that no loop accepts for all of them.
        IEventLoop loop = group.Members[(int)((uint)Interlocked.Increment(ref _bound) % (uint)group.Count)].Loop;
        RawSocket socket = ListeningSockets.Listen(HandlerSocketDriver.For(loop), endpoint, listen);
        var listener = new LoopConnectionListener(endpoint, socket, loop, group, listen, MakeSettings(socket.LocalEndPoint ?? endpoint), _logger);
        try
        {
            await listener.StartAsync().ConfigureAwait(false);
            return listener;
        }
        catch
        {
            await listener.DisposeAsync().ConfigureAwait(false); // the failure is the caller's; socket, file and pools must not stay
            throw;
        }
    }

    private LoopConnectionSettings[] MakeSettings(EndPoint endPoint)
    {
        var standing = new EndpointStanding(clock ?? TimeProvider.System, endPoint.ToString());
        return [.. group.Members.Select(member => new LoopConnectionSettings(
            options.Value, member, group.Workers, standing, pools.Create(new MemoryPoolOptions { Owner = "kestrel" }), _logger))];
    }
}
