using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace LoopBridge.Streams;

/// <summary>What the two sides of a TLS connection agreed upon in the handshake. Any thread; stays after the close.</summary>
public sealed class TlsInfo
{
    internal TlsInfo(SslStream session)
    {
        Protocol = session.SslProtocol;
        CipherSuite = session.NegotiatedCipherSuite;
        ApplicationProtocol = session.NegotiatedApplicationProtocol;
        ServerName = session.TargetHostName;
        RemoteCertificate = session.RemoteCertificate as X509Certificate2;
    }

    /// <summary>The version of TLS.</summary>
    public SslProtocols Protocol { get; }

    /// <summary>The cipher suite.</summary>
    public TlsCipherSuite CipherSuite { get; }

    /// <summary>The protocol chosen by ALPN (RFC 7301), or the default value, which is empty, if there was no choice.</summary>
    public SslApplicationProtocol ApplicationProtocol { get; }

    /// <summary>The name of the server that the client asked for (SNI); empty if it named none.</summary>
    public string ServerName { get; }

    /// <summary>The peer's certificate, or null if it showed none. Shared: do not dispose of it while others may use it.</summary>
    public X509Certificate2? RemoteCertificate { get; }
}
