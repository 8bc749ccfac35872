using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using LoopBridge.Streams;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Sockets;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class TlsHandshakeTests : LoopContract
{
    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.ServerOnPool, TlsSide.Client)]
    [Contract("L-STR-46"), Contract("L-STR-48")]
    public async Task WaitForHandshakeAsync_WhileItRunsAndAfterwards_GivesTheStream(LoopStack stack, TlsSide side)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await thread.RunAsync(async loop =>
        {
            LoopStream stream = TlsLink.StartTls(link.Plain, side);
            ValueTask<LoopStream> wait = stream.WaitForHandshakeAsync();
            Assert.False(wait.IsCompleted);
            Assert.Null(stream.Tls);
            Task<SslStream> peer = link.UpgradePeerAsync(side);
            Assert.Same(stream, await wait);
            Assert.True(loop.IsOnLoopThread);
            Assert.Same(loop.SynchronizationContext, SynchronizationContext.Current);
            Assert.True(stream.WaitForHandshakeAsync().IsCompletedSuccessfully);
            await peer;
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-47")]
    public async Task WaitForHandshakeAsync_Twice_ThrowsAndTheFirstGoesOn(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await thread.RunAsync(async loop =>
        {
            LoopStream stream = link.Plain.StartTls(TlsLink.ServerOptions());
            ValueTask<LoopStream> first = stream.WaitForHandshakeAsync();
            Assert.Throws<InvalidOperationException>(() => { _ = stream.WaitForHandshakeAsync(); });
            await link.UpgradePeerAsync(TlsSide.ServerOnLoop);
            Assert.Same(stream, await first);
        });
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.ServerOnPool, TlsSide.Client)]
    [Contract("L-STR-42")]
    public async Task ReadAndWrite_BeforeTheHandshakeIsDone_WaitForIt(LoopStack stack, TlsSide side)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await thread.RunAsync(async loop =>
        {
            LoopStream stream = TlsLink.StartTls(link.Plain, side);
            ValueTask<byte[]> read = stream.ReadUntilAsync(StreamTestData.NewLine);
            ValueTask write = stream.WriteAsync(StreamTestData.Noise(StreamLink.MoreThanBuffersHold));
            bool shaken = false;
            Task order = NoteAsync();
            SslStream peer = await link.UpgradePeerAsync(side);
            await peer.WriteAsync("early\n".Bytes());
            Assert.Equal("early\n", (await read).Text());
            Assert.True(shaken); // as with a connect in L-STR-29: first this is told, then bytes go
            byte[] received = new byte[StreamLink.MoreThanBuffersHold];
            await peer.ReadExactlyAsync(received);
            Assert.Equal(StreamTestData.Noise(received.Length), received);
            await write;
            await order;

            async Task NoteAsync()
            {
                await stream.WaitForHandshakeAsync();
                shaken = true;
            }
        });
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.ServerOnPool, TlsSide.Client)]
    [Contract("L-STR-44")]
    public async Task StartTlsAsync_PeerSpeaksNoTls_FailsAndCloses(LoopStack stack, TlsSide side)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await thread.RunAsync(async loop =>
        {
            LoopStream stream = TlsLink.StartTls(link.Plain, side);
            CancellationToken closed = stream.Closed;
            Task<byte[]> read = stream.ReadUntilCloseAsync().AsTask();
            Task wait = stream.WaitForHandshakeAsync().AsTask();
            await link.PlainPeer.WriteAsync("GET / HTTP/1.1\r\n\r\n and what else there is to say in the clear".Bytes());
            AuthenticationException failure = await Assert.ThrowsAsync<AuthenticationException>(() => wait);
            StreamClosedException fromRead = await Assert.ThrowsAsync<StreamClosedException>(() => read);
            Assert.Same(failure, fromRead.InnerException);
            Assert.True(stream.IsClosed);
            await TlsLink.UntilAsync(() => closed.IsCancellationRequested);
            Assert.Null(stream.Tls);
            Assert.Same(failure, await Assert.ThrowsAsync<AuthenticationException>(() => stream.WaitForHandshakeAsync().AsTask()));
            Assert.Same(failure, Assert.Throws<StreamClosedException>(() => { _ = stream.WriteAsync(new byte[1]); }).InnerException);
        });
    }

    // A port scan: nothing is logged (which the harness checks), and nothing stays.
    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.ServerOnPool, TlsSide.Client)]
    [Contract("L-STR-44"), Contract("L-SRV-09")]
    public async Task StartTlsAsync_PeerGoesAway_FailsWithIOException(LoopStack stack, TlsSide side)
    {
        LoopThread thread = StartLoop(stack);
        foreach (bool reset in new[] { false, true })
        {
            TlsLink link = await TlsLink.OpenAsync(this, thread);
            await thread.RunAsync(async loop =>
            {
                LoopStream stream = TlsLink.StartTls(link.Plain, side);
                if (reset)
                {
                    link.Reset();
                }
                else
                {
                    link.PlainPeer.Dispose();
                }

                await Assert.ThrowsAnyAsync<IOException>(() => stream.WaitForHandshakeAsync().AsTask());
                Assert.True(stream.IsClosed);
            });
        }
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.Client)]
    [Contract("L-STR-44")]
    public async Task StartTls_SilentPeer_FailsAfterTheTimeLimit(LoopStack stack, TlsSide side)
    {
        var clock = new ManualTimeProvider();
        LoopThread thread = StartLoop(stack, clock);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        Task wait = thread.RunAsync(async loop =>
        {
            LoopStream stream = side == TlsSide.Client
                ? link.Plain.StartTls(TlsLink.ClientOptions(), TimeSpan.FromSeconds(3))
                : link.Plain.StartTls(TlsLink.ServerOptions(), TimeSpan.FromSeconds(3));
            TimeoutException failure = await Assert.ThrowsAsync<TimeoutException>(() => stream.WaitForHandshakeAsync().AsTask());
            Assert.Contains("3 s", failure.Message, StringComparison.Ordinal);
            Assert.True(stream.IsClosed);
        });
        await AdvanceUntilDoneAsync(thread, clock, wait);
        await link.PlainPeer.CopyToAsync(Stream.Null).WithDeadline(); // closed for the peer, too
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.Client)]
    [Contract("L-CLI-14")]
    public async Task StartTlsAsync_Cancelled_ResetsTheConnection(LoopStack stack, TlsSide side)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await thread.RunAsync(async loop =>
        {
            using var cancellation = new CancellationTokenSource();
            Task upgrade = side == TlsSide.Client
                ? link.Plain.StartTlsAsync(TlsLink.ClientOptions(), cancellation.Token).AsTask()
                : link.Plain.StartTlsAsync(TlsLink.ServerOptions(), cancellation.Token).AsTask();
            await cancellation.CancelAsync();
            OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => upgrade);
            Assert.Equal(cancellation.Token, e.CancellationToken);
            Assert.True(link.Plain.IsClosed); // and not only when the handshake has taken too long
            await TlsLink.UntilAsync(() => link.Plain.Closed.IsCancellationRequested);
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-46")]
    public async Task WaitForHandshakeAsync_Done_LeavesNoTimeLimitBehind(LoopStack stack)
    {
        (Socket near, Socket far) = await SocketPairs.ConnectAsync();
        await using var peer = new SslStream(new NetworkStream(far, ownsSocket: true));
        Task shaken = peer.AuthenticateAsClientAsync(TlsLink.ClientOptions());
        await StartLoop(stack).RunAsync(async inner =>
        {
            var loop = new TimerCountingLoop(inner);
            LoopStream stream = LoopStream.FromSocket(loop, near).StartTls(TlsLink.ServerOptions());
            Assert.Equal(1, loop.PendingTimeouts);
            await stream.WaitForHandshakeAsync();
            Assert.Equal(0, loop.PendingTimeouts);
            await shaken;
            stream.Abort();
            await stream.CloseAsync();
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-46")]
    public async Task WaitForHandshakeAsync_WaitCancelled_CanBeWaitedForAgain(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await thread.RunAsync(async loop =>
        {
            using var cancellation = new CancellationTokenSource();
            LoopStream stream = link.Plain.StartTls(TlsLink.ServerOptions());
            Task wait = stream.WaitForHandshakeAsync(cancellation.Token).AsTask();
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
            Task<SslStream> peer = link.UpgradePeerAsync(TlsSide.ServerOnLoop);
            Assert.Same(stream, await stream.WaitForHandshakeAsync());
            await peer;
        });
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.ServerOnPool, TlsSide.Client)]
    [Contract("L-STR-38")]
    public async Task CloseAsync_DuringTheHandshake_EndsAllInOrder(LoopStack stack, TlsSide side)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await thread.RunAsync(async loop =>
        {
            LoopStream stream = TlsLink.StartTls(link.Plain, side);
            List<string> order = [];
            stream.Closed.Register(() => order.Add("closed"));
            Task[] all =
            [
                NoteAsync("handshake", stream.WaitForHandshakeAsync().AsTask()),
                NoteAsync("write", stream.WriteAsync(new byte[StreamLink.MoreThanBuffersHold]).AsTask()),
                NoteAsync("read", stream.ReadAsync(new byte[1]).AsTask()),
            ];
            stream.Abort();
            await Task.WhenAll(all);
            await TlsLink.UntilAsync(() => order.Count == 4);
            Assert.Equal(["read", "write", "handshake", "closed"], order);

            async Task NoteAsync(string name, Task task)
            {
                await Assert.ThrowsAsync<StreamClosedException>(() => task);
                order.Add(name);
            }
        });
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.ServerOnPool, TlsSide.Client)]
    [Contract("L-STR-53")]
    public async Task FinishWriting_BeforeTheHandshakeIsDone_IsAnnouncedAfterIt(LoopStack stack, TlsSide side)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await thread.RunAsync(async loop =>
        {
            LoopStream stream = TlsLink.StartTls(link.Plain, side);
            stream.FinishWriting();
            SslStream peer = await link.UpgradePeerAsync(side);
            Assert.Equal(0, await peer.ReadAsync(new byte[1]));
            await peer.WriteAsync("still read\n".Bytes());
            Assert.Equal("still read\n", (await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
        });
    }

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

    private static async Task AdvanceUntilDoneAsync(LoopThread thread, ManualTimeProvider clock, Task task)
    {
        while (!task.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await thread.Do(() => { });
        }

        await task;
    }
}
