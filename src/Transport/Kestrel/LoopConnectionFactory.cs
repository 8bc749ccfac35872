using System.Buffers;
using System.Net;
using System.Net.Sockets;
using LoopBridge.Loops;
using LoopBridge.Resolvers;
using LoopBridge.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LoopBridge.Kestrel;

/// <summary>
/// Outbound connections on our loops: IP, UNIX, and names through the resolver, each address in turn until one answers.
/// </summary>
internal sealed class LoopConnectionFactory : IConnectionFactory, IDisposable
{
    private readonly LoopGroup _group;
    private readonly INameResolver _resolver;
    private readonly LoopConnectionSettings[] _settings;
    private int _disposed;

    public LoopConnectionFactory(LoopGroup group, INameResolver resolver, IOptions<LoopBridgeOptions> options, ILoggerFactory loggers, IServiceProvider services)
    {
        _group = group;
        _resolver = resolver;

        // Kestrel registers the pools; a program without a server has the shared one.
        var pools = (IMemoryPoolFactory<byte>?)services.GetService(typeof(IMemoryPoolFactory<byte>));
        ILogger logger = loggers.CreateLogger(LoopTransportFactory.LogCategory);
        var standing = new EndpointStanding(TimeProvider.System, "outbound");
        _settings = [.. group.Members.Select(member => new LoopConnectionSettings(
            options.Value, member, group.Workers, standing, pools?.Create(new MemoryPoolOptions { Owner = "loopbridge.client" }) ?? MemoryPool<byte>.Shared, logger))];
    }

    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) == 1, this);
        if (endpoint is not DnsEndPoint name)
        {
            if (endpoint is not (IPEndPoint or UnixDomainSocketEndPoint))
            {
                throw new NotSupportedException($"LoopBridge cannot connect to {endpoint} ({endpoint.GetType().Name}): use an IP, UNIX or DNS endpoint.");
            }

            return await ConnectToAddressAsync(endpoint, cancellationToken).ConfigureAwait(false);
        }

        NameResolution resolution = await _resolver.ResolveAsync(name.Host, name.Port, name.AddressFamily, cancellationToken).ConfigureAwait(false);
        for (int i = 0; ; i++)
        {
            try
            {
                return await ConnectToAddressAsync(resolution.EndPoints[i], cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException) when (i + 1 < resolution.EndPoints.Count)
            {
                // Expected: this address does not answer. The next may; the last one's error is the caller's.
            }
        }
    }

    /// <summary>Live connections go on; the last one on each loop closes its pool.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }

        foreach (LoopConnectionSettings settings in _settings)
        {
            settings.Release();
        }
    }

    private async Task<ConnectionContext> ConnectToAddressAsync(EndPoint endPoint, CancellationToken cancellationToken)
    {
        LoopMember member = _group.Acquire();
        LoopConnectionSettings settings = _settings[member.Number];
        LoopConnection? connection = null;
        try
        {
            await SocketConnector.ConnectAsync(
                member.Loop, endPoint, settings.Socket, socket => connection = new LoopConnection(socket, settings), cancellationToken).ConfigureAwait(false);
        }
        catch when (connection is null)
        {
            member.Release(); // no connection was made that would do it; the error is the caller's
            throw;
        }
        catch
        {
            await connection!.DisposeAsync().ConfigureAwait(false); // it is closed, and the caller, whose the error is, will not see it
            throw;
        }

        connection!.OnConnected();
        return connection;
    }
}
