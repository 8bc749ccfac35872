using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace LoopBridge.Streams;

/// <summary>How one connection of a <see cref="LoopTcpClient"/> is made. Looked at when the connect begins.</summary>
public sealed class LoopTcpConnectOptions
{
    private AddressFamily _family = AddressFamily.Unspecified;
    private int _sourcePort;
    private TimeSpan? _timeout;

    /// <summary>
    /// <see cref="AddressFamily.InterNetwork"/> or <see cref="AddressFamily.InterNetworkV6"/> to use addresses of that family only.
    /// Defaults to <see cref="AddressFamily.Unspecified"/>: both.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the three.</exception>
    public AddressFamily Family
    {
        get => _family;
        set => _family = value is AddressFamily.Unspecified or AddressFamily.InterNetwork or AddressFamily.InterNetworkV6
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "Only IPv4, IPv6 or both can be asked for.");
    }

    /// <summary>
    /// The address of this machine to connect from. Addresses of the other family then fail. Defaults to null: the system chooses.
    /// </summary>
    public IPAddress? SourceAddress { get; set; }

    /// <summary>
    /// The port of this machine to connect from. Without <see cref="SourceAddress"/> it is a port of the loopback interface, as in Tornado.
    /// Defaults to zero: the system chooses.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is no port.</exception>
    public int SourcePort
    {
        get => _sourcePort;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, IPEndPoint.MinPort);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, IPEndPoint.MaxPort);
            _sourcePort = value;
        }
    }

    /// <summary>
    /// How long it may take, by the loop's clock, from the name to the connection, with TLS included. Defaults to null: as long as the
    /// resolver and the system allow, which can be minutes.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public TimeSpan? Timeout
    {
        get => _timeout;
        set
        {
            if (value is { } limit)
            {
                ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero, nameof(value));
            }

            _timeout = value;
        }
    }

    /// <summary>
    /// TLS on the connection that wins: the connect is done when the handshake is. Where <c>TargetHost</c> is empty, the server's
    /// certificate has to be for the host that is connected to. Leave the options alone until the connect has ended. Defaults to null: no TLS.
    /// </summary>
    public SslClientAuthenticationOptions? Tls { get; set; }

    /// <summary>Settings of the stream. Defaults to null: its own.</summary>
    public LoopStreamOptions? Stream { get; set; }

    /// <summary>The local endpoint of an attempt at an address of that family; null if the system is to choose.</summary>
    /// <exception cref="SocketException">The source address is of the other family.</exception>
    internal IPEndPoint? SourceOf(AddressFamily family)
    {
        if (SourceAddress is null)
        {
            return SourcePort == 0 ? null
                : new IPEndPoint(family == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, SourcePort);
        }

        return SourceAddress.AddressFamily == family
            ? new IPEndPoint(SourceAddress, SourcePort)
            : throw new SocketException((int)SocketError.AddressFamilyNotSupported);
    }

    internal LoopTcpConnectOptions Copy() => (LoopTcpConnectOptions)MemberwiseClone();
}
