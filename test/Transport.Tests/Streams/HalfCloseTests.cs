using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class HalfCloseTests : StreamContract
{
    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-53")]
    public async Task FinishWriting_MuchUnsent_SendsItAllThenTheEndAndReadingGoesOn(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        byte[] noise = StreamTestData.Noise(StreamLink.MoreThanBuffersHold);
        await link.OnLoop(async stream =>
        {
            Task write = stream.WriteAsync(noise).AsTask();
            stream.FinishWriting();
            stream.FinishWriting();
            Task flush = stream.FlushAsync().AsTask();
            Assert.False(stream.IsClosed);
            Assert.Throws<InvalidOperationException>(() => { _ = stream.WriteAsync(new byte[1]); });
            byte[] received = await link.ReceiveAllAsync();
            Assert.True(noise.AsSpan().SequenceEqual(received));
            await Task.WhenAll(write, flush);
            for (int i = 0; i < 3; i++)
            {
                await link.SendAsync($"answer {i}\n");
                Assert.Equal($"answer {i}\n", (await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
            }

            int closes = 0;
            stream.OnClosed(_ => closes++);
            await Task.Yield();
            Assert.False(stream.IsClosed);
            link.FinishSending();
            await StreamLink.UntilAsync(() => closes > 0);
            Assert.True(stream.IsClosed);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-53")]
    public async Task CloseAsync_AfterFinishWriting_ClosesWithoutWaitingForThePeer(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            await stream.WriteAsync("last words"u8.ToArray());
            stream.FinishWriting();
            await stream.FlushAsync();
            await Task.Yield();
            await stream.CloseAsync();
            Assert.Null(stream.Error);
            stream.FinishWriting();
        });
        Assert.Equal("last words", (await link.ReceiveAllAsync().WithDeadline()).Text());
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-53")]
    public async Task FinishWriting_PeerFinishesFirst_ClosesWhenAllIsSent(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        byte[] noise = StreamTestData.Noise(StreamLink.MoreThanBuffersHold);
        await link.OnLoop(async stream =>
        {
            Task write = stream.WriteAsync(noise).AsTask();
            stream.FinishWriting();
            link.FinishSending();
            Assert.Equal(0, await stream.ReadAsync(new byte[1]));
            byte[] received = await link.ReceiveAllAsync();
            Assert.Equal(noise.Length, received.Length);
            await write;
            await StreamLink.UntilAsync(() => stream.Closed.IsCancellationRequested);
            Assert.Null(stream.Error);
        });
    }
}
