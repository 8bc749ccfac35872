using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using LoopBridge.Protocols;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>Connections that go on in TLS. The rest of R-TLS comes with its own area.</summary>
public sealed class StartTlsTests : ProtocolContract
{
    [Theory, ReactorStacks]
    [Contract("R-CONN-29")]
    public async Task StartTls_BothSides_FlagChanges_BytesBeforeAreClearAndBytesAfterAreNot(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var flags = new List<bool>();
        var server = new TestProtocol
        {
            OnData = (p, data) =>
            {
                if (data.SequenceEqual("STARTTLS"u8))
                {
                    flags.Add(p.Transport.IsTls);
                    p.Transport.Write("go"u8);
                    p.Transport.StartTls(ServerOptions());
                    flags.Add(p.Transport.IsTls);
                    p.Transport.Write("secret"u8);
                }
                else
                {
                    p.Transport.Write(data); // decrypted, and echoed encrypted
                }
            },
        };
        await using IListeningPort port = Listen(thread, () => server);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync("STARTTLS"u8.ToArray());
        Assert.Equal("go"u8.ToArray(), await peer.ReadAsync(2)); // in the clear

        await using var tls = new SslStream(new NetworkStream(peer.Socket));
        await tls.AuthenticateAsClientAsync(ClientOptions(), TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal("secret", await ReadAsync(tls, 6));
        byte[] data = Pattern(200_000);
        Task sent = tls.WriteAsync(data, TestContext.Current.CancellationToken).AsTask();
        byte[] echo = new byte[data.Length];
        await tls.ReadExactlyAsync(echo, TestContext.Current.CancellationToken).AsTask().WithDeadline();
        await sent.WithDeadline();
        AssertSameBytes(data, echo);
        Assert.Equal([false, true], flags);

        await thread.Do(() => server.Transport.LoseConnection());
        Assert.Equal(0, await tls.ReadAsync(new byte[1], TestContext.Current.CancellationToken).AsTask().WithDeadline());
        peer.Dispose();
        Assert.IsType<ConnectionDoneException>(await server.Lost.WithDeadline());
        Assert.True(server.Transport.IsTls);
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-29")]
    public async Task StartTls_ClientAndServerAreOurs_TalkAndEndInOrder(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var server = new TestProtocol
        {
            OnMade = p => p.Transport.StartTls(ServerOptions()),
            OnData = (p, data) => p.Transport.Write(data),
        };
        await using IListeningPort port = Listen(thread, () => server);
        var client = new TestProtocol
        {
            OnMade = p =>
            {
                p.Transport.StartTls(ClientOptions());
                p.Transport.Write("hello"u8);
            },
            OnData = (p, _) => p.Transport.LoseConnection(),
        };
        var factory = new RecordingFactory { OnBuild = () => client };
        await thread.Do(() => thread.Reactor.ConnectTcp((IPEndPoint)port.Host, factory, new ConnectorOptions { Transport = Options }));

        Assert.IsType<ConnectionDoneException>(await factory.Ended.WithDeadline());
        Assert.IsType<ConnectionDoneException>(await server.Lost.WithDeadline());
        Assert.Equal("hello"u8.ToArray(), client.Received);
        Assert.Equal("hello"u8.ToArray(), server.Received);
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-06")]
    public async Task StartTls_OptionsThatCannotWork_ThrowsToTheCaller_ConnectionGoesOnInTheClear(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        using X509Certificate2 withoutKey = X509CertificateLoader.LoadCertificate(TestCertificate.Localhost.RawData);
        var thrown = new List<Exception?>();
        var server = new TestProtocol
        {
            OnMade = p =>
            {
                thrown.Add(Record.Exception(() => p.Transport.StartTls(new SslServerAuthenticationOptions())));
                thrown.Add(Record.Exception(
                    () => p.Transport.StartTls(new SslServerAuthenticationOptions { ServerCertificate = withoutKey })));
                thrown.Add(Record.Exception(() => p.Transport.StartTls(ClientOptions(), TimeSpan.Zero)));
                thrown.Add(Record.Exception(() => p.Transport.StartTls((SslClientAuthenticationOptions)null!)));
                Assert.False(p.Transport.IsTls);
                p.Transport.Write("plain"u8);
            },
        };
        await using IListeningPort port = Listen(thread, () => server);
        using Peer peer = await Peer.ConnectAsync(port);

        Assert.Equal("plain"u8.ToArray(), await peer.ReadAsync(5));
        Assert.Collection(
            thrown,
            error => Assert.IsType<ArgumentException>(error),
            error => Assert.IsType<ArgumentException>(error),
            error => Assert.IsType<ArgumentOutOfRangeException>(error),
            error => Assert.IsType<ArgumentNullException>(error));
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-29"), Contract("R-CONN-16")]
    public async Task StartTls_TwiceOrWhileEndingOrLost_ChangesNothing(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var server = new TestProtocol();
        await using IListeningPort port = Listen(thread, () => server);
        using Peer peer = await Peer.ConnectAsync(port);
        await server.Made.WithDeadline();
        Assert.Throws<InvalidOperationException>(() => server.Transport.StartTls(ServerOptions())); // another thread
        await thread.Do(() =>
        {
            server.Transport.StartTls(ServerOptions());
            Assert.Throws<InvalidOperationException>(() => server.Transport.StartTls(ServerOptions()));
            server.Transport.LoseConnection();
        });

        await server.Lost.WithDeadline();
        await thread.Do(() =>
        {
            server.Transport.StartTls(ServerOptions()); // silent, as a write
            server.Transport.Write("x"u8);
        });
        Assert.DoesNotContain((byte)'x', await peer.ReadToEndAsync());
    }

    [Theory, ReactorStacks]
    public async Task StartTls_PeerSpeaksSomethingElse_LossHasTheTlsError(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var server = new TestProtocol { OnMade = p => p.Transport.StartTls(ServerOptions()) };
        await using IListeningPort port = Listen(thread, () => server);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.0\r\n\r\n"));

        Assert.IsType<AuthenticationException>(await server.Lost.WithDeadline());
        Assert.Equal(["made", "lost"], server.Events);
    }

    private static SslServerAuthenticationOptions ServerOptions() => new()
    {
        ServerCertificateContext = SslStreamCertificateContext.Create(TestCertificate.Localhost, null, offline: true),
    };

    private static SslClientAuthenticationOptions ClientOptions() => new()
    {
        TargetHost = "localhost",
        RemoteCertificateValidationCallback = static (_, certificate, _, _)
            => certificate?.GetCertHashString() == TestCertificate.Localhost.GetCertHashString(),
    };

    private static async Task<string> ReadAsync(Stream stream, int count)
    {
        byte[] bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes, TestContext.Current.CancellationToken).AsTask().WithDeadline();
        return Encoding.ASCII.GetString(bytes);
    }
}
