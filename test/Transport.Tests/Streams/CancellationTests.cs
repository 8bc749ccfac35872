using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class CancellationTests : StreamContract
{
    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-54")]
    public async Task ReadUntilAsync_Cancelled_LeavesTheBytesForTheNextRead(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            using var cancellation = new CancellationTokenSource();
            Task<byte[]> read = stream.ReadUntilAsync(StreamTestData.NewLine, cancellationToken: cancellation.Token).AsTask();
            await link.SendAsync("half");
            await StreamLink.UntilAsync(() => stream.Buffered == 4);
            await cancellation.CancelAsync();
            OperationCanceledException cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
            Assert.Equal(cancellation.Token, cancelled.CancellationToken);
            Assert.False(stream.IsReading);
            Assert.False(stream.IsClosed);
            await link.SendAsync(" a line\n");
            Assert.Equal("half a line\n", (await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-54"), Contract("L-STR-27")]
    public async Task ReadExactlyAsync_CancelledMidwayFromAnotherThread_PutsTheBytesBack(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        byte[] noise = StreamTestData.Noise(200_000);
        await link.OnLoop(async stream =>
        {
            using var cancellation = new CancellationTokenSource();
            byte[] target = new byte[150_000];
            Task read = stream.ReadExactlyAsync(target, cancellation.Token).AsTask();
            await link.SendAsync(noise[..100_000]);
            await StreamLink.UntilAsync(() => target[99_999] == noise[99_999]);
            await Task.Run(cancellation.Cancel);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
            Assert.Equal(100_000, stream.Buffered);
            target.AsSpan().Clear();
            Task sending = link.SendAsync(noise[100_000..]).AsTask();
            byte[] all = new byte[noise.Length];
            await stream.ReadExactlyAsync(all);
            Assert.Equal(noise, all);
            Assert.All(target, b => Assert.Equal(0, b));
            await sending;
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-37")]
    public async Task ReadAsync_CancelledOnTheLoop_RunsNoContinuationInsideTheCancel(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            using var cancellation = new CancellationTokenSource();
            Task<int> read = stream.ReadAsync(new byte[1], cancellation.Token).AsTask();
#pragma warning disable CA1849 // it is the synchronous form that runs callbacks inside the call
            cancellation.Cancel();
#pragma warning restore CA1849
            Assert.False(read.IsCompleted);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    public async Task Read_TokenHasFiredBefore_IsCancelledAndConsumesNothing(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            var fired = new CancellationToken(canceled: true);
            await link.SendAsync("a\nb\n");
            await stream.ReadUntilAsync(StreamTestData.NewLine);
            Assert.True(stream.ReadAsync(new byte[1], fired).IsCanceled);
            Assert.True(stream.ReadExactlyAsync(new byte[1], fired).IsCanceled);
            Assert.True(stream.ReadUntilAsync(StreamTestData.NewLine, cancellationToken: fired).IsCanceled);
            Assert.True(stream.ReadUntilCloseAsync(cancellationToken: fired).IsCanceled);
            Assert.Equal("b\n", (await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    public async Task ReadAsync_TokenFiresAfterTheEnd_LeavesTheNextReadAlone(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            using var cancellation = new CancellationTokenSource();
            ValueTask<byte[]> first = stream.ReadUntilAsync(StreamTestData.NewLine, cancellationToken: cancellation.Token);
            await link.SendAsync("one\n");
            await first;
            ValueTask<byte[]> second = stream.ReadUntilAsync(StreamTestData.NewLine);
            await cancellation.CancelAsync();
            await Task.Yield();
            Assert.False(second.IsCompleted);
            await link.SendAsync("two\n");
            Assert.Equal("two\n", (await second).Text());
        });
    }

    // Operations are used again: what one was to be cancelled by must not cancel the next.
    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-54")]
    public async Task Read_TokenOfTheOneBeforeFires_GoesOn(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            using var cancellation = new CancellationTokenSource();
            ValueTask<byte[]> first = stream.ReadUntilAsync(StreamTestData.NewLine, cancellationToken: cancellation.Token);
            await link.SendAsync("1\n");
            Assert.Equal("1\n", (await first).Text());
            await cancellation.CancelAsync();
            ValueTask<byte[]> second = stream.ReadUntilAsync(StreamTestData.NewLine);
            Assert.False(stream.Closed.IsCancellationRequested); // the stream looks at what may have come about, cancellations included
            await Task.Yield();
            await Task.Yield();
            Assert.False(second.IsCompleted);
            await link.SendAsync("2\n");
            Assert.Equal("2\n", (await second).Text());
        });
    }
}
