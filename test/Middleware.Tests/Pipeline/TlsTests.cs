using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace LoopBridge.Middleware.Tests.Pipeline;

/// <summary>HTTPS over our pipes: who is let in, which protocol is agreed on, and when TLS is somebody else's.</summary>
public sealed class TlsTests
{
    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-93")]
    public async Task ClientCertificate_Required_ReachesTheHandler(LoopBridgeMode mode, LoopDriver driver)
    {
        using X509Certificate2 own = TestCertificate.Create("CN=a client");
        await using LoopBridgeServer server = await StartAsync(mode, driver, https =>
        {
            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            https.ClientCertificateValidation = (certificate, _, _) => certificate.Equals(own);
        });
        foreach (Version version in (Version[])[HttpVersion.Version11, HttpVersion.Version20])
        {
            using HttpClient known = TlsClients.Create(version, own);
            Assert.Equal(
                "CN=a client",
                await known.GetStringAsync(new Uri(server.Addresses[0], "subject"), TestContext.Current.CancellationToken).WithDeadline());
        }

        using HttpClient unknown = TlsClients.Create(HttpVersion.Version11);
        await Assert.ThrowsAsync<HttpRequestException>(
            () => unknown.GetStringAsync(server.Addresses[0], TestContext.Current.CancellationToken).WithDeadline());
    }

    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-93")]
    public async Task ClientCertificate_AskedForInMidConnection_IsGiven(LoopBridgeMode mode, LoopDriver driver)
    {
        using X509Certificate2 own = TestCertificate.Create("CN=a late client");
        await using LoopBridgeServer server = await StartAsync(
            mode,
            driver,
            https =>
            {
                https.ClientCertificateMode = ClientCertificateMode.DelayCertificate;
                https.ClientCertificateValidation = static (_, _, _) => true;
            },
            HttpProtocols.Http1); // HTTP/2 forbids it (RFC 9113, 9.2.3)
        using HttpClient client = TlsClients.Create(HttpVersion.Version11, own);

        Assert.Equal(
            "CN=a late client",
            await client.GetStringAsync(new Uri(server.Addresses[0], "subject"), TestContext.Current.CancellationToken).WithDeadline());
    }

    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-93")]
    public async Task Alpn_EachOffer_AgreesOnTheBest(LoopBridgeMode mode, LoopDriver driver)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, static _ => { });
        foreach ((List<SslApplicationProtocol> offer, SslApplicationProtocol expected) in
            ((List<SslApplicationProtocol>, SslApplicationProtocol)[])[
                ([SslApplicationProtocol.Http2, SslApplicationProtocol.Http11], SslApplicationProtocol.Http2),
                ([SslApplicationProtocol.Http11], SslApplicationProtocol.Http11),
                ([], default)])
        {
            using HttpWire wire = await HttpWire.ConnectAsync(server.EndPoint());
            await using var tls = new SslStream(wire.Stream);
            SslClientAuthenticationOptions options = TlsClients.Options();
            options.ApplicationProtocols = offer;
            await tls.AuthenticateAsClientAsync(options, TestContext.Current.CancellationToken).WithDeadline();
            Assert.Equal(expected, tls.NegotiatedApplicationProtocol);
        }
    }

    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-94")]
    public async Task TlsFeatureAlreadyThere_HttpsDoesNothing(LoopBridgeMode mode, LoopDriver driver)
    {
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Use(next => connection =>
                {
                    Assert.Null(connection.Features.Get<ITlsConnectionFeature>()); // never ours: we end no TLS
                    connection.Features.Set<ITlsConnectionFeature>(new TlsConnectionFeature());
                    return next(connection);
                });
                listen.UseHttps(TestCertificate.Localhost);
            }),
            app => app.MapGet("/", () => "in the clear"));
        using HttpWire client = await HttpWire.ConnectAsync(server.EndPoint());

        Assert.Equal("in the clear", (await client.GetAsync("/")).Text);
    }

    private static Task<LoopBridgeServer> StartAsync(
        LoopBridgeMode mode,
        LoopDriver driver,
        Action<HttpsConnectionAdapterOptions> configure,
        HttpProtocols protocols = HttpProtocols.Http1AndHttp2)
        => LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = protocols;
                listen.UseHttps(TestCertificate.Localhost, configure);
            }),
            app => app.MapGet("/subject", async (HttpContext context) =>
                (await context.Connection.GetClientCertificateAsync(CancellationToken.None))?.Subject ?? "nobody"));
}
