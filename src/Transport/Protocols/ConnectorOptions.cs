using System.Net;
using LoopBridge.Resolvers;

namespace LoopBridge.Protocols;

/// <summary>Settings of one connector.</summary>
public sealed class ConnectorOptions
{
    private TimeSpan? _timeout = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long an attempt may take, with the resolution of the name, by the reactor's clock. Null leaves it to the system, which takes
    /// minutes. Defaults to 30 s, Twisted's.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public TimeSpan? Timeout
    {
        get => _timeout;
        set
        {
            if (value is { } limit)
            {
                ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero);
            }

            _timeout = value;
        }
    }

    /// <summary>The local address to connect from; port 0 for any. Defaults to none, which leaves it to the system.</summary>
    public IPEndPoint? BindAddress { get; set; }

    /// <summary>Finds the addresses of a name. Defaults to the reactor's.</summary>
    public INameResolver? Resolver { get; set; }

    /// <summary>Settings of the connections. Defaults to those of the reactor.</summary>
    public TransportOptions? Transport { get; set; }
}
