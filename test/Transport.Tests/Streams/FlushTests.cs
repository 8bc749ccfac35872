using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class FlushTests : StreamContract
{
    private const int Megabyte = 1024 * 1024;

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-30")]
    public async Task FlushAsync_AHundredMegabytesInParallelWrites_EachEndsWhenItsOwnLastByteHasGone(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        byte[] bytes = StreamTestData.Noise(Megabyte);
        var target = new byte[Megabyte];
        await link.OnLoop(async stream =>
        {
            var order = new List<int>();
            async Task WriteAsync(int number)
            {
                _ = stream.WriteAsync(bytes).AsTask();
                await stream.FlushAsync();
                order.Add(number);
                Assert.InRange(stream.Unsent, 0, (99 - number) * Megabyte);
            }

            Task all = Task.WhenAll(Enumerable.Range(0, 100).Select(WriteAsync));
            for (int i = 0; i < 100; i++)
            {
                await link.Peer.ReadExactlyAsync(target);
                Assert.True(bytes.AsSpan().SequenceEqual(target));
            }

            await all;
            Assert.Equal(Enumerable.Range(0, 100), order);
            Assert.False(stream.IsWriting);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-30")]
    public async Task FlushAsync_StreamCloses_NoneIsOrphaned(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            var ends = new List<Task>();
            for (int i = 0; i < 20; i++)
            {
                ends.Add(stream.WriteAsync(new byte[2 * Megabyte]).AsTask());
                ends.Add(stream.FlushAsync().AsTask());
            }

            await Task.Yield();
            stream.Abort();
            foreach (Task end in ends)
            {
                await Assert.ThrowsAsync<StreamClosedException>(() => end);
            }

            Assert.Throws<StreamClosedException>(() => { _ = stream.FlushAsync(); });
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-30")]
    public async Task FlushAsync_LittleWritten_EndsWithTheTurnAndNotBefore(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            Assert.True(stream.FlushAsync().IsCompletedSuccessfully);
            for (int i = 0; i < 3; i++)
            {
                Assert.True(stream.WriteAsync("x"u8.ToArray()).IsCompletedSuccessfully);
                ValueTask flush = stream.FlushAsync();
                Assert.False(flush.IsCompleted);
                await flush;
                Assert.False(stream.IsWriting);
                Assert.True(stream.FlushAsync().IsCompletedSuccessfully);
            }
        });
    }

    [Theory, LoopStacks]
    public async Task FlushAsync_Cancelled_StopsTheWaitAndTheOthersGoOn(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack);
        await link.OnLoop(async stream =>
        {
            using var cancellation = new CancellationTokenSource();
            Task write = stream.WriteAsync(new byte[StreamLink.MoreThanBuffersHold]).AsTask();
            Task first = stream.FlushAsync(cancellation.Token).AsTask();
            Task second = stream.FlushAsync().AsTask();
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
            Assert.False(second.IsCompleted);
            await link.Peer.ReadExactlyAsync(new byte[StreamLink.MoreThanBuffersHold]);
            await write;
            await second;
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-30")]
    public async Task FlushAsync_CloseAsyncFollows_StillTellsThatAllHasGone(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack);
        await link.OnLoop(async stream =>
        {
            Task write = stream.WriteAsync(new byte[StreamLink.MoreThanBuffersHold]).AsTask();
            Task flush = stream.FlushAsync().AsTask();
            Task close = stream.CloseAsync().AsTask();
            Assert.Equal(StreamLink.MoreThanBuffersHold, (await link.ReceiveAllAsync()).Length);
            await Task.WhenAll(write, flush, close);
        });
    }

    // Encrypted is not sent: below TLS stands a queue of its own.
    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.Client)]
    [Contract("L-STR-30")]
    public async Task FlushAsync_Tls_EndsWhenTheKernelHasTheRecordsAndNotBefore(LoopStack stack, TlsSide side)
    {
        TlsLink link = await TlsLink.OpenAsync(this, StartLoop(stack));
        await link.RunAsync(side, async (stream, peer) =>
        {
            const int Piece = 4096;
            long written = 0;
            Task flush;
            do
            {
                await stream.WriteAsync(new byte[Piece]);
                written += Piece;
                flush = stream.FlushAsync().AsTask();
                for (int turn = 0; turn < 200 && !flush.IsCompleted; turn++)
                {
                    await Task.Yield();
                }

                Assert.True(!flush.IsCompleted || link.Plain.Unsent == 0, $"{link.Plain.Unsent} bytes wait below, and the flush is done.");
            }
            while (flush.IsCompleted);
            await peer.ReadExactlyAsync(new byte[written]);
            await flush;
        });
    }
}
