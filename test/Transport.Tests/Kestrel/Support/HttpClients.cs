using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Kestrel;

/// <summary>HTTP clients for servers of a test, over plain text or a certificate nobody signed.</summary>
internal static class HttpClients
{
    internal static X509Certificate2 Certificate { get; } = MakeCertificate();

    internal static HttpClient Create(int connections = int.MaxValue) => new(
        new SocketsHttpHandler
        {
            MaxConnectionsPerServer = connections,
            UseProxy = false,
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.GetCertHashString() == Certificate.GetCertHashString() },
        },
        disposeHandler: true)
    {
        Timeout = Deadline.Default,
    };

    /// <summary>A request of exactly that version.</summary>
    internal static HttpRequestMessage Request(Uri uri, Version version, HttpMethod? method = null, HttpContent? content = null)
        => new(method ?? HttpMethod.Get, uri) { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = content };

    internal static async Task<string> GetTextAsync(this HttpClient client, Uri uri, Version? version = null)
    {
        using HttpRequestMessage request = Request(uri, version ?? HttpVersion.Version11);
        using HttpResponseMessage response = await client.SendAsync(request, CancellationToken.None).WithDeadline();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(request.Version, response.Version);
        return await response.Content.ReadAsStringAsync(CancellationToken.None).WithDeadline();
    }

    private static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
