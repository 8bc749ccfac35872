using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using LoopBridge.Testing;

namespace LoopBridge.Middleware.Tests.Pipeline;

/// <summary>Clients that trust the tests' certificate and no other.</summary>
internal static class TlsClients
{
    /// <summary>One that asks for HTTP/2 wherever the server offers it, unless told of another version.</summary>
    internal static HttpClient Create(Version? version = null, X509Certificate2? certificate = null)
    {
        var handler = new SocketsHttpHandler { UseProxy = false, SslOptions = Options(certificate) };
        return new HttpClient(handler)
        {
            DefaultRequestVersion = version ?? HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = Deadline.Default,
        };
    }

    internal static SslClientAuthenticationOptions Options(X509Certificate2? certificate = null) => new()
    {
        TargetHost = "localhost",
        RemoteCertificateValidationCallback = static (_, presented, _, _) => TestCertificate.Localhost.Equals(presented),
        ClientCertificates = certificate is null ? null : [certificate],
    };
}
