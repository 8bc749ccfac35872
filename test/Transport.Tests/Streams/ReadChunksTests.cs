using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class ReadChunksTests : StreamContract
{
    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-13")]
    public async Task ReadChunksAsync_Count_GivesBufferedBytesFirstThenWhatComesAndNoMore(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind, new LoopStreamOptions { ReadChunkSize = 1000 });
        byte[] noise = StreamTestData.Noise(50_500); // no multiple of the chunk: the last one has to stop before what follows
        await link.OnLoop(async stream =>
        {
            await link.SendAsync("line\nbuffered");
            await stream.ReadUntilAsync(StreamTestData.NewLine);
            await StreamLink.UntilAsync(() => stream.Buffered == 8);
            Task sending = link.SendAsync([.. noise, (byte)'!']).AsTask();
            var all = new MemoryStream();
            await foreach (ReadOnlyMemory<byte> piece in stream.ReadChunksAsync(8 + noise.Length))
            {
                if (all.Length == 0)
                {
                    Assert.Equal("buffered", piece.ToArray().Text());
                }

                Assert.InRange(piece.Length, 1, 1000);
                all.Write(piece.Span);
            }

            Assert.Equal(noise, all.ToArray()[8..]);
            byte[] one = new byte[1];
            await stream.ReadExactlyAsync(one);
            Assert.Equal("!", one.Text());
            await sending;
            Assert.Equal(0, await CountAsync(stream.ReadChunksAsync(0)));
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-13")]
    public async Task ReadChunksAsync_UntilThePeerFinishes_GivesEachPieceAsItComes(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            await link.SendAsync("0");
            int next = 1;
            string all = "";
            await foreach (ReadOnlyMemory<byte> piece in stream.ReadChunksAsync())
            {
                all += piece.ToArray().Text();
                if (next < 10)
                {
                    await link.SendAsync($"{next++}");
                }
                else
                {
                    link.FinishSending();
                }
            }

            Assert.Equal("0123456789", all);
            Assert.True(stream.IsClosed);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-12")]
    public async Task ReadUntilClose_ClosedWithBytesBuffered_GivesThemThenNothing(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            await link.SendAsync("left over");
            link.FinishSending();
            await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.ReadExactlyAsync(new byte[100]));
            Assert.True(stream.IsClosed);
            await StreamLink.UntilAsync(() => stream.Closed.IsCancellationRequested);
            string all = "";
            await foreach (ReadOnlyMemory<byte> piece in stream.ReadChunksAsync())
            {
                all += piece.ToArray().Text();
            }

            Assert.Equal("left over", all);
            Assert.Equal(0, await CountAsync(stream.ReadChunksAsync()));
            Assert.Empty(await stream.ReadUntilCloseAsync());
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-12")]
    public async Task ReadUntilCloseAsync_ClosedWithBytesBuffered_GivesThem(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack);
        await link.OnLoop(async stream =>
        {
            await link.SendAsync("left over");
            link.FinishSending();
            await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.ReadExactlyAsync(new byte[100]));
            await StreamLink.UntilAsync(() => stream.Closed.IsCancellationRequested);
            Assert.Equal("left over", (await stream.ReadUntilCloseAsync()).Text());
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-17")]
    public async Task ReadChunksAsync_PeerFinishesTooEarly_GivesWhatCameThenFails(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack);
        await link.OnLoop(async stream =>
        {
            await link.SendAsync("half");
            link.FinishSending();
            int count = 0;
            await Assert.ThrowsAsync<StreamClosedException>(async () =>
            {
                await foreach (ReadOnlyMemory<byte> piece in stream.ReadChunksAsync(8))
                {
                    count += piece.Length;
                }
            });
            Assert.Equal(4, count);
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-54")]
    public async Task ReadChunksAsync_Cancelled_LeavesTheStreamUsable(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack);
        await link.OnLoop(async stream =>
        {
            using var cancellation = new CancellationTokenSource();
            Task<int> reading = CountAsync(stream.ReadChunksAsync(cancellationToken: cancellation.Token));
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
            await link.SendAsync("line\n");
            Assert.Equal("line\n", (await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
            Assert.Throws<ArgumentOutOfRangeException>(() => stream.ReadChunksAsync(-1));
        });
    }

    private static async Task<int> CountAsync(IAsyncEnumerable<ReadOnlyMemory<byte>> pieces)
    {
        int count = 0;
        await foreach (ReadOnlyMemory<byte> _ in pieces)
        {
            count++;
        }

        return count;
    }
}
