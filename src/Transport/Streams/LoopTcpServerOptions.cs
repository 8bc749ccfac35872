using System.Net.Security;
using LoopBridge.Sockets;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Streams;

/// <summary>Settings of a <see cref="LoopTcpServer"/>. Looked at and checked when the server is made.</summary>
public sealed class LoopTcpServerOptions
{
    /// <summary>
    /// How many connections may wait in the system to be accepted, for each listening socket that the server makes. Defaults to 128,
    /// Tornado's.
    /// </summary>
    public int Backlog { get; set; } = LoopSockets.DefaultBacklog;

    /// <summary>
    /// Whether other processes of the same user may listen on the same ports, if they say the same: the system spreads the connections.
    /// Not on Windows. Defaults to false.
    /// </summary>
    public bool ReusePort { get; set; }

    /// <summary>
    /// How many connections may be live; further ones wait in the system until one ends. Defaults to null: as many as the process has
    /// descriptors for, of which the last few are left alone.
    /// </summary>
    public int? MaxConnections { get; set; }

    /// <summary>Who may connect to UNIX sockets that the server makes. Defaults to the user of the process alone (0600).</summary>
    public UnixFileMode UnixSocketMode { get; set; } = UnixListenSocket.DefaultMode;

    /// <summary>
    /// TLS for every connection; needs <c>ServerCertificateContext</c>, <c>ServerCertificate</c> or
    /// <c>ServerCertificateSelectionCallback</c>, unless <see cref="CertificateFile"/> names one. Defaults to null: no TLS, unless
    /// <see cref="CertificateFile"/> is set.
    /// </summary>
    public SslServerAuthenticationOptions? Tls { get; set; }

    /// <summary>
    /// The certificate for TLS: PEM, with the certificates between it and the root behind it, or PKCS #12 without password
    /// (<c>.pfx</c>, <c>.p12</c>). Read when the server is made. Defaults to null.
    /// </summary>
    public string? CertificateFile { get; set; }

    /// <summary>The private key of <see cref="CertificateFile"/>, as PEM. Defaults to null: it is in the same file.</summary>
    public string? CertificateKeyFile { get; set; }

    /// <summary>
    /// After which time a TLS handshake has failed. Defaults to 10 seconds; <see cref="Timeout.InfiniteTimeSpan"/> for no limit.
    /// </summary>
    public TimeSpan HandshakeTimeout { get; set; } = LoopStream.DefaultHandshakeTimeout;

    /// <summary>Settings of the streams. Defaults to null: theirs.</summary>
    public LoopStreamOptions? Stream { get; set; }

    /// <summary>
    /// Told of handlers that fail, at error, and of what happens to connections, at debug. Defaults to null: the failures go to the loop's
    /// exception handler.
    /// </summary>
    public ILogger? Logger { get; set; }

    /// <summary>A checked copy that later changes do not reach.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range, or TLS has no certificate.</exception>
    internal LoopTcpServerOptions Validated()
    {
        if (Backlog <= 0)
        {
            throw new ArgumentException($"{nameof(Backlog)} is {Backlog}: it must be positive.");
        }

        if (MaxConnections <= 0)
        {
            throw new ArgumentException($"{nameof(MaxConnections)} is {MaxConnections}: it must be positive, or null for no limit.");
        }

        if (HandshakeTimeout <= TimeSpan.Zero && HandshakeTimeout != Timeout.InfiniteTimeSpan)
        {
            throw new ArgumentException($"{nameof(HandshakeTimeout)} is {HandshakeTimeout}: it must be positive, or infinite.");
        }

        var copy = (LoopTcpServerOptions)MemberwiseClone();
        copy.Tls = ServerTls.Validated(this);
        return copy;
    }
}
