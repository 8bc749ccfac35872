using System.Net.Security;
using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>What holds of any stream, over TLS.</summary>
public sealed class TlsStreamTests : LoopContract
{
    private const int Megabytes16 = 16 * 1024 * 1024;

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.Client)]
    [Contract("L-STR-01"), Contract("L-STR-14")]
    public async Task Read_BytesTogetherWithThePeersClose_AreReadableBeforeIt(LoopStack stack, TlsSide side)
    {
        byte[] sent = StreamTestData.Noise(100_000);
        await TlsLink.RunAsync(this, StartLoop(stack), side, async (stream, peer) =>
        {
            Task sending = SendAndEndAsync(peer, sent);
            byte[] received = new byte[sent.Length];
            for (int i = 0; i < sent.Length; i += 1000)
            {
                await stream.ReadExactlyAsync(received.AsMemory(i, 1000));
            }

            Assert.Equal(sent, received);
            Assert.Equal(0, await stream.ReadAsync(new byte[1]));
            Assert.True(stream.IsClosed);
            await sending;
        });
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.Client)]
    [Contract("L-STR-05"), Contract("L-STR-49")]
    public async Task ReadAsync_OneRecordInPieces_UsesWhatIsDecryptedBeforeItPolls(LoopStack stack, TlsSide side)
    {
        byte[] sent = StreamTestData.Noise(20_000);
        await TlsLink.RunAsync(this, StartLoop(stack), side, async (stream, peer) =>
        {
            await peer.WriteAsync(sent);
            byte[] received = new byte[sent.Length];
            Assert.Equal(1, await stream.ReadAsync(received.AsMemory(0, 1)));
            await stream.ReadExactlyAsync(received.AsMemory(1, 9_999));

            // The peer sends nothing more, so no poll reports anything: what is left has to come from here.
            int count = 10_000;
            while (count < received.Length)
            {
                int part = await stream.ReadAsync(received.AsMemory(count, Math.Min(4_321, received.Length - count)));
                Assert.InRange(part, 1, 4_321);
                count += part;
            }

            Assert.Equal(sent, received);
        });
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.Client)]
    [Contract("L-STR-10")]
    public async Task ReadUntilAsync_DelimiterAcrossRecords_IsFound(LoopStack stack, TlsSide side)
    {
        await TlsLink.RunAsync(this, StartLoop(stack), side, async (stream, peer) =>
        {
            ValueTask<byte[]> read = stream.ReadUntilAsync(StreamTestData.BlankLine);
            foreach (string record in new[] { "header\r", "\n\r", "\nbo", "dy" })
            {
                await peer.WriteAsync(record.Bytes());
            }

            Assert.Equal("header\r\n\r\n", (await read).Text());
            byte[] body = new byte[4];
            await stream.ReadExactlyAsync(body);
            Assert.Equal("body", body.Text());
        });
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.Client)]
    [Contract("L-STR-17")]
    public async Task Read_PeerResets_FailsWithTheCause(LoopStack stack, TlsSide side)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await link.RunAsync(side, async (stream, peer) =>
        {
            Task<byte[]> read = stream.ReadUntilAsync(StreamTestData.NewLine).AsTask();
            link.Reset();
            StreamClosedException failure = await Assert.ThrowsAsync<StreamClosedException>(() => read);
            Assert.IsType<Microsoft.AspNetCore.Connections.ConnectionResetException>(failure.InnerException);
        });
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.Client)]
    [Contract("L-STR-25")]
    public async Task Receive_NoReadPending_LeavesThePeerWaitingAndLosesNothing(LoopStack stack, TlsSide side)
    {
        byte[] sent = StreamTestData.Noise(StreamLink.MoreThanBuffersHold);
        await TlsLink.RunAsync(this, StartLoop(stack), side, async (stream, peer) =>
        {
            Task sending = Task.Run(() => peer.WriteAsync(sent).AsTask());
            byte[] received = new byte[sent.Length];
            await stream.ReadExactlyAsync(received.AsMemory(0, 1));
            for (int turn = 0; turn < 1000; turn++)
            {
                await Task.Yield();
            }

            Assert.False(sending.IsCompleted);
            Assert.InRange(stream.Buffered, 0, LoopStreamOptions.DefaultReadChunkSize);
            await stream.ReadExactlyAsync(received.AsMemory(1));
            await sending;
            Assert.Equal(sent, received);
        });
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.Client)]
    [Contract("L-STR-28"), Contract("L-STR-30")]
    public async Task WriteAsync_ManyAtOnceAndEmptyOnes_CompleteInOrder(LoopStack stack, TlsSide side)
    {
        await TlsLink.RunAsync(this, StartLoop(stack), side, async (stream, peer) =>
        {
            byte[] sent = StreamTestData.Noise(Megabytes16);
            List<int> order = [];
            List<Task> writes = [];
            const int Pieces = 64;
            for (int i = 0; i < Pieces; i++)
            {
                ReadOnlyMemory<byte> piece = i % 8 == 7 ? default : sent.AsMemory(i / 8 * (Megabytes16 / 8) + i % 8 * 1000);
                int length = i % 8 == 6 ? Megabytes16 / 8 - 6000 : Math.Min(1000, piece.Length);
                writes.Add(NoteAsync(i, stream.WriteAsync(piece[..length])));
            }

            byte[] received = new byte[Megabytes16];
            await Task.Run(() => peer.ReadExactlyAsync(received).AsTask());
            await Task.WhenAll(writes);
            Assert.Equal(Enumerable.Range(0, Pieces), order);
            Assert.Equal(sent, received);

            async Task NoteAsync(int number, ValueTask write)
            {
                await write;
                order.Add(number);
            }
        });
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.Client)]
    [Contract("L-STR-34")]
    public async Task WriteAsync_PeerResets_FailsWithTheCause(LoopStack stack, TlsSide side)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await link.RunAsync(side, async (stream, peer) =>
        {
            Task write = stream.WriteAsync(new byte[StreamLink.MoreThanBuffersHold]).AsTask();
            link.Reset();
            StreamClosedException failure = await Assert.ThrowsAsync<StreamClosedException>(() => write);
            Assert.NotNull(failure.InnerException);
            Assert.Throws<StreamClosedException>(() => { _ = stream.WriteAsync(new byte[1]); });
        });
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.Client)]
    [Contract("L-STR-52")]
    public async Task Echo_PiecesOfAllSizes_KeepsOrder(LoopStack stack, TlsSide side)
    {
        await TlsLink.RunAsync(this, StartLoop(stack), side, async (stream, peer) =>
        {
            int[] sizes = [1, 3, 100, 4_095, 16_383, 16_384, 16_385, 40_000, 1, 0, 150_000, 7];
            Task echo = Task.Run(async () =>
            {
                byte[] buffer = new byte[10_000];
                while (await peer.ReadAsync(buffer) is int count and > 0)
                {
                    await peer.WriteAsync(buffer.AsMemory(0, count));
                }
            });
            foreach (int size in sizes)
            {
                byte[] sent = StreamTestData.Noise(size);
                ValueTask write = stream.WriteAsync(sent);
                byte[] received = new byte[size];
                await stream.ReadExactlyAsync(received);
                await write;
                Assert.Equal(sent, received);
            }

            await stream.CloseAsync();
            await echo;
        });
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.Client)]
    [Contract("L-STR-54")]
    public async Task ReadAsync_Cancelled_LeavesTheBytesForTheNextRead(LoopStack stack, TlsSide side)
    {
        await TlsLink.RunAsync(this, StartLoop(stack), side, async (stream, peer) =>
        {
            using var cancellation = new CancellationTokenSource();
            Task<byte[]> read = stream.ReadUntilAsync(StreamTestData.NewLine, cancellationToken: cancellation.Token).AsTask();
            await peer.WriteAsync("half a ".Bytes());
            await TlsLink.UntilAsync(() => stream.Buffered > 0);
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
            await peer.WriteAsync("line\n".Bytes());
            Assert.Equal("half a line\n", (await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
        });
    }

    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.ServerOnPool, TlsSide.Client)]
    [Contract("L-INV-01")]
    public async Task Await_OverTls_GoesOnOnTheLoopWithinTheDispatch(LoopStack stack, TlsSide side)
    {
        LoopThread thread = StartLoop(stack);
        await TlsLink.RunAsync(this, thread, side, async (stream, peer) =>
        {
            for (int i = 0; i < 100; i++)
            {
                ValueTask<byte[]> read = stream.ReadUntilAsync(StreamTestData.NewLine);
                await peer.WriteAsync("ping\n".Bytes());
                await read.ConfigureAwait(i % 2 == 0);
                Assert.True(thread.Loop.IsOnLoopThread);
                await stream.WriteAsync("pong\n".Bytes());
                await peer.ReadExactlyAsync(new byte[5]);
            }
        });
    }

    // SslStream itself allocates nothing for a read or write in steady traffic; so the whole way over TLS does not.
    [Theory, LoopStacks(TlsSide.ServerOnLoop)]
    public async Task Echo_Steady_AllocatesNothingForEachOperation(LoopStack stack, TlsSide side)
    {
        const int Rounds = 500;
        const int Windows = 6;
        long least = long.MaxValue;
        await TlsLink.RunAsync(this, StartLoop(stack), side, async (stream, peer) =>
        {
            Task echo = Task.Run(() =>
            {
                byte[] message = new byte[64];
                for (int i = 0; i < Windows * Rounds; i++)
                {
                    peer.Write(message);
                    peer.ReadExactly(message);
                }
            });
            byte[] buffer = new byte[64];
            for (int window = 0; window < Windows; window++)
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                for (int i = 0; i < Rounds; i++)
                {
                    await stream.ReadExactlyAsync(buffer);
                    await stream.WriteAsync(buffer);
                }

                least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            }

            await echo;
        });
        Assert.InRange(least / Rounds, 0, 16);
    }

    private static Task SendAndEndAsync(SslStream peer, byte[] bytes) => Task.Run(async () =>
    {
        await peer.WriteAsync(bytes);
        await peer.ShutdownAsync();
    });
}
