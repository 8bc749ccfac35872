using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace LoopBridge.Sockets;

/// <summary>How a connection becomes TLS: as which side, with what, and how long it may take.</summary>
internal sealed class TlsParameters
{
    internal TlsParameters(SslServerAuthenticationOptions server, TimeSpan timeLimit)
    {
        if (server is { ServerCertificate: null, ServerCertificateContext: null, ServerCertificateSelectionCallback: null })
        {
            throw new ArgumentException(
                "A TLS server needs a certificate: set ServerCertificateContext, ServerCertificate or ServerCertificateSelectionCallback.",
                nameof(server));
        }

        if (server is { ServerCertificateContext: null, ServerCertificate: X509Certificate2 { HasPrivateKey: false } certificate })
        {
            throw new ArgumentException(
                $"The certificate '{certificate.Subject}' has no private key: a server needs it.", nameof(server));
        }

        Server = server;
        TimeLimit = timeLimit;
    }

    internal TlsParameters(SslClientAuthenticationOptions client, TimeSpan timeLimit)
    {
        Client = client;
        TimeLimit = timeLimit;
    }

    internal SslServerAuthenticationOptions? Server { get; }

    internal SslClientAuthenticationOptions? Client { get; }

    internal TimeSpan TimeLimit { get; }

    /// <summary>
    /// Whether the handshake may have to build the chain of a certificate, the peer's or the own: intermediate certificates may be
    /// fetched from the network then, and the framework blocks while it does. A certificate context has been through that already.
    /// </summary>
    internal bool MayBlock => Server is not { ServerCertificateContext: not null, ClientCertificateRequired: false };
}
