using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class CloseTests : StreamContract
{
    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    public async Task CloseAsync_MuchUnsent_SendsItAllFirst(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        byte[] noise = StreamTestData.Noise(StreamLink.MoreThanBuffersHold);
        await link.OnLoop(async stream =>
        {
            Task write = stream.WriteAsync(noise).AsTask();
            ValueTask close = stream.CloseAsync();
            Assert.True(stream.IsClosed);
            Assert.False(close.IsCompleted);
            byte[] received = await link.ReceiveAllAsync();
            Assert.True(noise.AsSpan().SequenceEqual(received));
            await close;
            await write;
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-38"), Contract("L-STR-37"), Contract("L-STR-16")]
    public async Task CloseAsync_ReadPending_FailsItOutsideTheCallAndThenTellsOfTheClose(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            var order = new List<string>();
            stream.Closed.Register(() => order.Add("closed"));
            async Task ReadAsync()
            {
                await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.ReadUntilAsync(StreamTestData.NewLine));
                order.Add("read");
            }

            Task read = ReadAsync();
            ValueTask close = stream.CloseAsync();
            ValueTask again = stream.DisposeAsync();
            Assert.Empty(order);
            await read;
            await close;
            await again;
            await StreamLink.UntilAsync(() => order.Count == 2);
            Assert.Equal(["read", "closed"], order);
            Assert.True(stream.CloseAsync().IsCompletedSuccessfully);
            Assert.False(stream.IsReading);
        });
        Assert.Empty(await link.ReceiveAllAsync().WithDeadline());
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    public async Task CloseAsync_BytesBuffered_DropsThem(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            await link.SendAsync("line\nrest");
            await stream.ReadUntilAsync(StreamTestData.NewLine);
            Assert.NotEqual(0, stream.BufferCapacity);
            await stream.CloseAsync();
            Assert.Equal(0, stream.BufferCapacity);
            Assert.Throws<StreamClosedException>(() => { _ = stream.ReadAsync(new byte[1]); });
        });
    }

    // Another thread's abort is carried out between two turns: bytes that stand in the stream must not outlive it either.
    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-38")]
    public async Task Abort_BytesBuffered_DropsThem(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            await link.SendAsync("line\nrest");
            await stream.ReadUntilAsync(StreamTestData.NewLine);
            Assert.NotEqual(0, stream.BufferCapacity);
            CancellationToken closed = stream.Closed;
            await Task.Run(stream.Abort);
            await StreamLink.UntilAsync(() => closed.IsCancellationRequested);
            Assert.Equal(0, stream.BufferCapacity);
            Assert.Throws<StreamClosedException>(() => { _ = stream.ReadAsync(new byte[1]); });
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    public async Task Abort_FromAnotherThread_FailsWhatIsPending(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            Task read = stream.ReadExactlyAsync(new byte[100_000]).AsTask();
            Task write = stream.WriteAsync(new byte[StreamLink.MoreThanBuffersHold]).AsTask();
            await link.SendAsync("some");
            await Task.Yield();
            await Task.Run(stream.Abort);
            Assert.True(stream.IsClosed);
            await Assert.ThrowsAsync<StreamClosedException>(() => read);
            await Assert.ThrowsAsync<StreamClosedException>(() => write);
            await stream.CloseAsync();
            Assert.Equal(0, stream.BufferCapacity);
            stream.Abort();
        });
        await Assert.ThrowsAnyAsync<Exception>(() => link.ReceiveAllAsync().WithDeadline());
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-37")]
    public async Task Abort_OnTheLoop_RunsNoContinuationInsideTheCall(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            bool inside = false;
            bool ranInside = false;
            async Task ReadAsync()
            {
                await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.ReadUntilAsync(StreamTestData.NewLine));
                ranInside = inside;
            }

            Task read = ReadAsync();
            inside = true;
            stream.Abort();
            inside = false;
            await read;
            Assert.False(ranInside);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-40")]
    public async Task Closed_IdleStream_NoticesThatThePeerFinished(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            CancellationToken closed = stream.Closed;
            await link.SendAsync("line\n");
            await stream.ReadUntilAsync(StreamTestData.NewLine);
            Assert.False(closed.IsCancellationRequested);
            link.FinishSending();
            await StreamLink.UntilAsync(() => closed.IsCancellationRequested);
            Assert.True(stream.IsClosed);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-40")]
    public async Task Closed_AskedForAfterThePeerFinished_NoticesItTheSame(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            await link.SendAsync("line\n");
            link.FinishSending();
            await stream.ReadUntilAsync(StreamTestData.NewLine);
            await StreamLink.UntilAsync(() => stream.Closed.IsCancellationRequested);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-40")]
    public async Task OnClosed_AskedForAfterThePeerFinished_NoticesItTheSame(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            await link.SendAsync("line\n");
            link.FinishSending();
            await stream.ReadUntilAsync(StreamTestData.NewLine);
            for (int turn = 0; turn < 50; turn++)
            {
                await Task.Yield(); // the end is reported meanwhile, to nobody who wants to know
            }

            bool told = false;
            stream.OnClosed(_ => told = true);
            await StreamLink.UntilAsync(() => told);
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-40"), Contract("L-STR-23")]
    public async Task Closed_IdleStream_NoticesAReset(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack);
        await link.OnLoop(async stream =>
        {
            CancellationToken closed = stream.Closed;
            link.Reset();
            await StreamLink.UntilAsync(() => closed.IsCancellationRequested);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-15"), Contract("L-STR-14")]
    public async Task Closed_BytesBufferedWhenThePeerFinishes_WaitsUntilTheyAreRead(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            int closes = 0;
            stream.Closed.Register(() => closes++);
            await link.SendAsync("12");
            link.FinishSending();
            await StreamLink.UntilAsync(() => stream.Buffered > 0);
            for (int turn = 0; turn < 20; turn++)
            {
                await Task.Yield();
                Assert.Equal(0, closes);
            }

            byte[] one = new byte[1];
            await stream.ReadExactlyAsync(one);
            Assert.Equal("1", one.Text());
            Assert.False(stream.IsClosed);
            await stream.ReadExactlyAsync(one);
            Assert.Equal("2", one.Text());
            await StreamLink.UntilAsync(() => closes > 0);
            Assert.Equal(1, closes);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    public async Task Closed_RegisteredAfterTheClose_RunsWithinTheRegistrationLikeEveryToken(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            await stream.CloseAsync();
            bool told = false;
            stream.Closed.Register(() => told = true);
            Assert.True(told);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-53")]
    public async Task Stream_PeerFinishedWithWritesUnsent_SendsThemBeforeItCloses(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        byte[] noise = StreamTestData.Noise(StreamLink.MoreThanBuffersHold);
        await link.OnLoop(async stream =>
        {
            Task write = stream.WriteAsync(noise).AsTask();
            link.FinishSending();
            Assert.Equal(0, await stream.ReadAsync(new byte[1]));
            Assert.True(stream.IsClosed);
            Assert.Throws<StreamClosedException>(() => { _ = stream.WriteAsync(new byte[1]); });
            byte[] received = await link.ReceiveAllAsync();
            Assert.True(noise.AsSpan().SequenceEqual(received));
            await write;
            await stream.CloseAsync();
        });
    }

    [Theory, LoopStacks]
    public async Task Stream_LoopDisposedUnderIt_FailsWhatIsPending(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack);
        Task? read = null;
        await link.OnLoop(stream =>
        {
            read = stream.ReadUntilAsync(StreamTestData.NewLine).AsTask();
            return Task.CompletedTask;
        });
        link.Thread.Stop();
        link.Loop.Dispose();
        StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => read!.WithDeadline());
        Assert.IsType<ObjectDisposedException>(closed.InnerException);
        Assert.True(link.Stream.IsClosed);
    }
}
