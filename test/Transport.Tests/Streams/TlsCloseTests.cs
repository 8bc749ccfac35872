using System.Net.Security;
using System.Net.Sockets;
using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>How a TLS stream ends: announced (close_notify), cut off, or reset.</summary>
public sealed class TlsCloseTests : LoopContract
{
    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.ServerOnPool, TlsSide.Client)]
    [Contract("L-STR-38")]
    public async Task CloseAsync_AfterMuchWasWritten_SendsAllAndSaysSo(LoopStack stack, TlsSide side)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        byte[] sent = StreamTestData.Noise(5_000_000);
        await link.RunAsync(side, async (stream, peer) =>
        {
            ValueTask write = stream.WriteAsync(sent);
            ValueTask close = stream.CloseAsync();
            Assert.Equal(sent, await ReceiveAllAsync(peer));
            await write;
            await close;
            Assert.True(stream.CloseAsync().IsCompletedSuccessfully);
            Assert.True(stream.Closed.IsCancellationRequested);

            // The peer has seen the announcement; below it, the connection has ended in order, too.
            Assert.Equal(0, await link.PlainPeer.ReadAsync(new byte[1]));
        });
    }

    // The framework's own stream does not tell the two apart, so the announcement is looked for in the clear: a last record of type alert.
    [Theory, LoopStacks(TlsSide.ServerOnLoop)]
    public async Task CloseAsync_Orderly_LastRecordIsTheAnnouncement(LoopStack stack, TlsSide side)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        SslClientAuthenticationOptions tls12 = TlsLink.ClientOptions();
        tls12.EnabledSslProtocols = System.Security.Authentication.SslProtocols.Tls12; // 1.3 hides the types of its records
        await thread.RunAsync(async loop =>
        {
            Task<SslStream> peer = link.UpgradePeerAsync(side, tls12);
            LoopStream stream = await link.Plain.StartTlsAsync(TlsLink.ServerOptions());
            await peer;
            ValueTask close = stream.CloseAsync();
            var rest = new MemoryStream();
            await link.PlainPeer.CopyToAsync(rest);
            await close;
            Assert.Equal(21, rest.ToArray()[0]); // RFC 5246, 6.2.1: alert(21)
        });
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.Client)]
    [Contract("L-STR-11")]
    public async Task ReadUntilCloseAsync_PeerAnnouncesTheEnd_GivesAll(LoopStack stack, TlsSide side)
    {
        byte[] sent = StreamTestData.Noise(300_000);
        await TlsLink.RunAsync(this, StartLoop(stack), side, async (stream, peer) =>
        {
            ValueTask<byte[]> read = stream.ReadUntilCloseAsync();
            await peer.WriteAsync(sent);
            await peer.ShutdownAsync();
            Assert.Equal(sent, await read);
        });
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.Client)]
    [Contract("L-STR-17")]
    public async Task ReadUntilCloseAsync_EndWithoutAnnouncement_FailsAsCutOff(LoopStack stack, TlsSide side)
    {
        foreach (bool withinARecord in new[] { false, true })
        {
            LoopThread thread = StartLoop(stack);
            TlsLink link = await TlsLink.OpenAsync(this, thread);
            await link.RunAsync(side, async (stream, peer) =>
            {
                Task<byte[]> read = stream.ReadUntilCloseAsync().AsTask();
                await peer.WriteAsync("the first ha".Bytes());
                await TlsLink.UntilAsync(() => stream.Buffered > 0);
                if (withinARecord)
                {
                    await link.PlainPeer.WriteAsync(new byte[] { 23, 3, 3, 1, 0, 42 });
                }

                link.PeerSocket.Shutdown(SocketShutdown.Send);
                StreamClosedException failure = await Assert.ThrowsAsync<StreamClosedException>(() => read);
                Assert.IsAssignableFrom<IOException>(failure.InnerException);

                // What came is there for who can do with half of it.
                byte[] first = new byte[12];
                await stream.ReadExactlyAsync(first);
                Assert.Equal("the first ha", first.Text());
                Assert.Throws<StreamClosedException>(() => { _ = stream.ReadAsync(first); });
            });
        }
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.Client)]
    public async Task Receive_ForgedRecord_ClosesTheStream(LoopStack stack, TlsSide side)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await link.RunAsync(side, async (stream, peer) =>
        {
            Task<byte[]> read = stream.ReadUntilCloseAsync().AsTask();
            byte[] forged = new byte[5 + 64];
            new byte[] { 23, 3, 3, 0, 64 }.CopyTo(forged, 0);
            await link.PlainPeer.WriteAsync(forged);
            StreamClosedException failure = await Assert.ThrowsAsync<StreamClosedException>(() => read);
            Assert.NotNull(failure.InnerException);
            await link.PlainPeer.CopyToAsync(Stream.Null); // closed for the peer, too
        });
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.ServerOnPool, TlsSide.Client)]
    [Contract("L-STR-38")]
    public async Task Abort_WhileThePeerTakesNothing_ResetsAtOnce(LoopStack stack, TlsSide side)
    {
        foreach (bool closing in new[] { false, true })
        {
            LoopThread thread = StartLoop(stack);
            TlsLink link = await TlsLink.OpenAsync(this, thread);
            await link.RunAsync(side, async (stream, peer) =>
            {
                Task write = stream.WriteAsync(new byte[StreamLink.MoreThanBuffersHold]).AsTask();
                ValueTask close = closing ? stream.CloseAsync() : default;
                await Task.Run(stream.Abort);
                await Assert.ThrowsAsync<StreamClosedException>(() => write);
                await close;
                await TlsLink.UntilAsync(() => stream.Closed.IsCancellationRequested);
                await Assert.ThrowsAnyAsync<IOException>(() => link.PlainPeer.CopyToAsync(Stream.Null));
            });
        }
    }

    // All is encrypted, the announcement, too, and waits below for a peer that takes nothing: the close waits for it, and Abort ends that.
    [Theory, LoopStacks(TlsSide.ServerOnLoop)]
    public async Task Abort_OnlyTheLastBytesBelowAreLeft_EndsTheClose(LoopStack stack, TlsSide side)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await link.RunAsync(side, async (stream, peer) =>
        {
            byte[] some = new byte[1000];
            while (stream.WriteAsync(some) is { IsCompleted: true })
            {
                await Task.Yield();
            }

            ValueTask close = stream.CloseAsync();
            Assert.False(close.IsCompleted);
            stream.Abort();
            await close;
            await TlsLink.UntilAsync(() => stream.Closed.IsCancellationRequested);
        });
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.Client)]
    [Contract("L-STR-07")]
    public async Task ReadUntilAsync_LimitMetAndThePeerTakesNothing_ClosesAtOnce(LoopStack stack, TlsSide side)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await link.RunAsync(side, async (stream, peer) =>
        {
            Task write = stream.WriteAsync(new byte[StreamLink.MoreThanBuffersHold]).AsTask();
            Task<byte[]> read = stream.ReadUntilAsync(StreamTestData.NewLine, maxBytes: 10).AsTask();
            await link.UntilStuckAsync(); // what is left below TLS finds no room in the kernel, however the close goes about it
            await peer.WriteAsync(new byte[20]);
            StreamClosedException failure = await Assert.ThrowsAsync<StreamClosedException>(() => read);
            Assert.IsType<UnsatisfiableReadException>(failure.InnerException);
            await Assert.ThrowsAsync<StreamClosedException>(() => write);
            await TlsLink.UntilAsync(() => stream.Closed.IsCancellationRequested);
        });
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.ServerOnPool, TlsSide.Client)]
    [Contract("L-INV-06")]
    public async Task LoopDisposed_WithStreamsInEveryState_LeavesNothing(LoopStack stack, TlsSide side)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink shaking = await TlsLink.OpenAsync(this, thread);
        TlsLink talking = await TlsLink.OpenAsync(this, thread);
        TlsLink stuck = await TlsLink.OpenAsync(this, thread);
        await thread.RunAsync(loop =>
        {
            _ = ObserveAsync(TlsLink.StartTls(shaking.Plain, side).WaitForHandshakeAsync());
            return Task.CompletedTask;
        });
        await talking.RunAsync(side, (stream, peer) =>
        {
            _ = ObserveAsync(stream.ReadAsync(new byte[1]));
            return Task.CompletedTask;
        });
        await stuck.RunAsync(side, (stream, peer) =>
        {
            _ = ObserveAsync(stream.WriteAsync(new byte[StreamLink.MoreThanBuffersHold]));
            return Task.CompletedTask;
        });
        thread.Stop();
        (thread.Loop as IDisposable)?.Dispose();
        foreach (TlsLink link in new[] { shaking, talking, stuck })
        {
            Assert.True(link.Plain.IsClosed);
        }

        static async Task ObserveAsync<T>(T operation)
        {
            try
            {
                await (operation switch
                {
                    ValueTask task => task.AsTask(),
                    ValueTask<int> task => task.AsTask(),
                    ValueTask<LoopStream> task => task.AsTask(),
                    _ => throw new ArgumentException("What is that?"),
                });
            }
            catch (IOException)
            {
                // the loop was closed under it
            }
        }
    }

    private static Task<byte[]> ReceiveAllAsync(SslStream peer) => Task.Run(async () =>
    {
        var all = new MemoryStream();
        await peer.CopyToAsync(all);
        return all.ToArray();
    });
}
