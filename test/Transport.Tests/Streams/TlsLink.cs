using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>Which side of TLS the stream under test is, and where its handshake runs.</summary>
public enum TlsSide
{
    /// <summary>A server with a certificate context: the handshake runs on the loop.</summary>
    ServerOnLoop,

    /// <summary>A server with a certificate alone: the handshake runs on the pool.</summary>
    ServerOnPool,

    /// <summary>A client.</summary>
    Client,
}

/// <summary>
/// A stream on a loop, and as its peer a plain socket in the test's hands; either end can be upgraded. The peer's TLS is the framework's
/// own, over its own sockets.
/// </summary>
internal sealed class TlsLink : IDisposable
{
    private const int PeerBuffers = 256 * 1024;

    // Validated once: a context for each handshake would only cost time.
    private static readonly SslStreamCertificateContext Context
        = SslStreamCertificateContext.Create(TestCertificate.Localhost, additionalCertificates: null, offline: true);

    private TlsLink(LoopThread thread, LoopStream plain, Socket peerSocket)
    {
        Thread = thread;
        Plain = plain;
        PeerSocket = peerSocket;
        PlainPeer = new NetworkStream(peerSocket, ownsSocket: true);
    }

    internal LoopThread Thread { get; }

    internal IEventLoop Loop => Thread.Loop;

    /// <summary>The stream under test before its upgrade.</summary>
    internal LoopStream Plain { get; }

    internal Socket PeerSocket { get; }

    internal NetworkStream PlainPeer { get; }

    /// <summary>Both sides in the clear. The link ends with the test, before the loop does.</summary>
    internal static async Task<TlsLink> OpenAsync(LoopContract test, LoopThread thread)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        // Inherited by what it accepts. Left alone, the kernel lets a buffer grow as far as the machine allows, beyond what a test sends.
        listener.ReceiveBufferSize = PeerBuffers;
        listener.SendBufferSize = PeerBuffers;
        listener.Listen();
        LoopStream? stream = null;
        await SocketConnector.ConnectAsync(thread.Loop, listener.LocalEndPoint!, StreamSocketOptions.Default, socket =>
        {
            stream = new LoopStream(socket);
            return stream.SocketSink;
        }, CancellationToken.None).WithDeadline();
        Socket peer = await listener.AcceptAsync().WithDeadline();
        peer.NoDelay = true;
        return test.Own(new TlsLink(thread, stream!, peer));
    }

    /// <summary>Both sides upgraded; <paramref name="body"/> is loop code.</summary>
    internal static async Task RunAsync(LoopContract test, LoopThread thread, TlsSide side, Func<LoopStream, SslStream, Task> body)
    {
        TlsLink link = await OpenAsync(test, thread);
        await link.RunAsync(side, body);
    }

    /// <summary>Upgrades both sides and runs loop code.</summary>
    internal Task RunAsync(TlsSide side, Func<LoopStream, SslStream, Task> body) => Thread.RunAsync(async loop =>
    {
        Task<SslStream> peer = UpgradePeerAsync(side);
        LoopStream stream = await StartTls(Plain, side).WaitForHandshakeAsync();
        await body(stream, await peer);
    });

    internal static LoopStream StartTls(LoopStream plain, TlsSide side)
        => side == TlsSide.Client ? plain.StartTls(ClientOptions()) : plain.StartTls(ServerOptions(side));

    /// <summary>The peer's half of the handshake, as the other side than <paramref name="side"/>.</summary>
    internal Task<SslStream> UpgradePeerAsync(TlsSide side, SslClientAuthenticationOptions? client = null) => Task.Run(async () =>
    {
        var stream = new SslStream(PlainPeer);
        await (side == TlsSide.Client
            ? stream.AuthenticateAsServerAsync(ServerOptions(TlsSide.ServerOnLoop))
            : stream.AuthenticateAsClientAsync(client ?? ClientOptions()));
        return stream;
    });

    internal static SslServerAuthenticationOptions ServerOptions(TlsSide side = TlsSide.ServerOnLoop) => side == TlsSide.ServerOnPool
        ? new SslServerAuthenticationOptions { ServerCertificate = TestCertificate.Localhost }
        : new SslServerAuthenticationOptions { ServerCertificateContext = Context };

    /// <summary>A client that trusts the test's certificate and nothing else.</summary>
    internal static SslClientAuthenticationOptions ClientOptions(string host = "localhost")
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, DisableCertificateDownloads = true };
        policy.CustomTrustStore.Add(TestCertificate.Localhost);
        policy.RevocationMode = X509RevocationMode.NoCheck;
        return new SslClientAuthenticationOptions
        {
            TargetHost = host,
            CertificateChainPolicy = policy,
            EnabledSslProtocols = SslProtocols.None,
        };
    }

    /// <summary>The peer resets the connection.</summary>
    internal void Reset()
    {
        PeerSocket.LingerState = new LingerOption(enable: true, seconds: 0);
        PeerSocket.Dispose();
    }

    /// <summary>Lets the loop take turns until something holds. Loop code.</summary>
    internal static Task UntilAsync(Func<bool> condition) => StreamLink.UntilAsync(condition);

    /// <summary>Lets the loop take turns until the kernel has no room for what the upgraded stream has encrypted. Loop code.</summary>
    internal async Task UntilStuckAsync()
    {
        const int TurnsWithoutChange = 200;
        long unsent = 0;
        int turns = 0;
        await UntilAsync(() =>
        {
            turns = Plain.Unsent == unsent && unsent > 0 ? turns + 1 : 0;
            unsent = Plain.Unsent;
            return turns == TurnsWithoutChange;
        });
    }

    public void Dispose()
    {
        Plain.Abort();
        PlainPeer.Dispose();
    }
}
