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
