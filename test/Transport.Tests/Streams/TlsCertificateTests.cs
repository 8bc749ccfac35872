using System.Net.Security;
using System.Security.Authentication;
using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>Whom a handshake trusts, and what it tells of it afterwards.</summary>
public sealed class TlsCertificateTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-STR-45")]
    public async Task StartTlsAsync_NameDoesNotMatch_FailsAndTheServerSeesAClose(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        foreach (string name in new[] { "other.example", "" })
        {
            TlsLink link = await TlsLink.OpenAsync(this, thread);
            Task<SslStream> peer = link.UpgradePeerAsync(TlsSide.Client);
            await thread.RunAsync(async loop =>
            {
                ValueTask<LoopStream> upgrade = link.Plain.StartTlsAsync(TlsLink.ClientOptions(name));
                await Assert.ThrowsAsync<AuthenticationException>(() => upgrade.AsTask());
                Assert.True(link.Plain.IsClosed);
            });
            await SeesCloseAsync(peer);
        }
    }

    [Theory, LoopStacks]
    [Contract("L-STR-45")]
    public async Task StartTlsAsync_UntrustedCertificate_Fails(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        Task<SslStream> peer = link.UpgradePeerAsync(TlsSide.Client);
        await thread.RunAsync(async loop =>
        {
            var options = new SslClientAuthenticationOptions { TargetHost = "localhost" };
            ValueTask<LoopStream> upgrade = link.Plain.StartTlsAsync(options);
            await Assert.ThrowsAsync<AuthenticationException>(() => upgrade.AsTask());
        });
        await SeesCloseAsync(peer);
    }

    [Theory, LoopStacks]
    [Contract("L-STR-45")]
    public async Task StartTlsAsync_NoCheckWanted_TakesAnyName(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        Task<SslStream> peer = link.UpgradePeerAsync(TlsSide.Client);
        await thread.RunAsync(async loop =>
        {
            LoopStream stream = await link.Plain.StartTlsAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "other.example",
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
            });
            await stream.WriteAsync("hello\n".Bytes());
        });
        Assert.Equal("hello", await new StreamReader(await peer).ReadLineAsync().WithDeadline());
    }

    [Theory, LoopStacks]
    [Contract("L-STR-45")]
    public async Task StartTlsAsync_ServerAsksForAClientCertificate_GetsIt(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        SslClientAuthenticationOptions client = TlsLink.ClientOptions();
        client.ClientCertificates = [TestCertificate.Localhost];
        Task<SslStream> peer = link.UpgradePeerAsync(TlsSide.ServerOnLoop, client);
        await thread.RunAsync(async loop =>
        {
            SslServerAuthenticationOptions options = TlsLink.ServerOptions();
            options.ClientCertificateRequired = true;
            options.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null;
            LoopStream stream = await link.Plain.StartTlsAsync(options);
            Assert.Equal(TestCertificate.Localhost.Thumbprint, stream.Tls!.RemoteCertificate!.Thumbprint);
        });
        await peer.WithDeadline();
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.Client)]
    public async Task Tls_AfterTheHandshake_TellsWhatWasAgreedAndStaysAfterTheClose(LoopStack stack, TlsSide side)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await thread.RunAsync(async loop =>
        {
            SslServerAuthenticationOptions server = TlsLink.ServerOptions();
            SslClientAuthenticationOptions client = TlsLink.ClientOptions();
            server.ApplicationProtocols = [SslApplicationProtocol.Http11, SslApplicationProtocol.Http2];
            client.ApplicationProtocols = [SslApplicationProtocol.Http2];
            await using var peer = new SslStream(link.PlainPeer);
            Task shaken = side == TlsSide.Client ? peer.AuthenticateAsServerAsync(server) : peer.AuthenticateAsClientAsync(client);
            LoopStream stream = side == TlsSide.Client
                ? await link.Plain.StartTlsAsync(client)
                : await link.Plain.StartTlsAsync(server);
            await shaken;
            await stream.CloseAsync();
            TlsInfo info = stream.Tls!;
            Assert.Equal(peer.SslProtocol, info.Protocol);
            Assert.Equal(peer.NegotiatedCipherSuite, info.CipherSuite);
            Assert.Equal(SslApplicationProtocol.Http2, info.ApplicationProtocol);
            Assert.Equal("localhost", info.ServerName);
            Assert.Equal(side == TlsSide.Client ? TestCertificate.Localhost.Thumbprint : null, info.RemoteCertificate?.Thumbprint);
        });
    }

    [Theory, LoopStacks]
    public async Task StartTls_UsersCertificateCallback_IsNotRunInsideTheCall(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        Task<SslStream> peer = link.UpgradePeerAsync(TlsSide.ServerOnLoop);
        await thread.RunAsync(async loop =>
        {
            string? asked = null;
            LoopStream stream = link.Plain.StartTls(new SslServerAuthenticationOptions
            {
                ServerCertificateSelectionCallback = (_, name) =>
                {
                    asked = name;
                    return TestCertificate.Localhost;
                },
            });
            Assert.Null(asked);
            await stream.WaitForHandshakeAsync();
            Assert.Equal("localhost", asked);
        });
        await peer.WithDeadline();
    }

    // In TLS 1.3 the server's half of the handshake ends before the client has judged its certificate.
    private static async Task SeesCloseAsync(Task<SslStream> peer)
    {
        try
        {
            SslStream stream = await peer.WithDeadline();
            int count = await stream.ReadAsync(new byte[1], TestContext.Current.CancellationToken).WithDeadline();
            Assert.Equal(0, count);
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            // the client's alert, as the framework tells it
        }
    }
}
