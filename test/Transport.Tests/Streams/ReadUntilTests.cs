using System.Diagnostics;
using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class ReadUntilTests : StreamContract
{
    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-10")]
    public async Task ReadUntilAsync_SeveralLinesInOnePacket_GivesThemOneByOneWithDelimiter(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            await link.SendAsync("one\ntwo\n\nrest");
            Assert.Equal("one\n", (await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
            Assert.Equal("two\n", (await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
            Assert.Equal("\n", (await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
            byte[] rest = new byte[4];
            await stream.ReadExactlyAsync(rest);
            Assert.Equal("rest", rest.Text());
            Assert.Equal(0, stream.BufferCapacity);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-10")]
    public async Task ReadUntilAsync_BytesOneAtATime_FindsTheDelimiterThatStraddlesThem(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            ValueTask<byte[]> read = stream.ReadUntilAsync(StreamTestData.BlankLine);
            const string Message = "GET /\r\n\r\r\n\r\n";
            for (int i = 0; i < Message.Length; i++)
            {
                Assert.False(read.IsCompleted);
                await link.SendAsync(Message[i].ToString());
                await StreamLink.UntilAsync(() => stream.Buffered == i + 1 || read.IsCompleted);
            }

            Assert.Equal(Message, (await read).Text());
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-06")]
    public async Task ReadUntilAsync_LineOfAMegabyteInPiecesOfAKilobyte_ComesWhole(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        byte[] line = new byte[1024 * 1024];
        line.AsSpan().Fill((byte)'x');
        line[^1] = (byte)'\n';
        Task sending = Task.Run(async () =>
        {
            for (int i = 0; i < line.Length; i += 1024)
            {
                await link.SendAsync(line[i..(i + 1024)]);
            }
        }, TestContext.Current.CancellationToken);
        await link.OnLoop(async stream =>
        {
            Assert.Equal(line, await stream.ReadUntilAsync(StreamTestData.NewLine));
            Assert.Equal(0, stream.BufferCapacity);
        });
        await sending.WithDeadline();
    }

    [Fact]
    [Contract("L-STR-06")]
    public void Proceed_SixtyFourMegabytesWithoutDelimiter_SearchesEachByteOnce()
    {
        // Searching from the start each time would look at two terabytes: minutes against a fraction of a second.
        var buffer = default(ReadBuffer);
        ReadRequest request = ReadRequest.Until(StreamTestData.BlankLine, 128 * 1024 * 1024);
        byte[] piece = new byte[1024];
        var watch = Stopwatch.StartNew();
        for (int i = 0; i < 64 * 1024; i++)
        {
            buffer.Append(piece);
            Assert.Equal(ReadProgress.NeedsMore, request.Proceed(ref buffer));
        }

        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"It took {watch.Elapsed}.");
        buffer.Release();
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-07")]
    public async Task ReadUntilAsync_LimitMetWhileWaiting_ClosesTheStream(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            ValueTask<byte[]> read = stream.ReadUntilAsync(StreamTestData.NewLine, maxBytes: 8);
            await link.SendAsync("0123");
            await StreamLink.UntilAsync(() => stream.Buffered == 4);
            await link.SendAsync("4567");
            StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => read.AsTask());
            Assert.IsType<UnsatisfiableReadException>(closed.InnerException);
            Assert.True(stream.IsClosed);
            closed = Assert.Throws<StreamClosedException>(() => { _ = stream.ReadUntilAsync(StreamTestData.NewLine); });
            Assert.IsType<UnsatisfiableReadException>(closed.InnerException);
            await StreamLink.UntilAsync(() => stream.Closed.IsCancellationRequested);
            Assert.Equal(0, stream.BufferCapacity);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-08"), Contract("L-STR-09")]
    public async Task ReadUntilAsync_MatchEndsBeyondTheLimitInBufferedData_FailsThroughTheTaskAndCloses(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            await link.SendAsync("first\n0123456\n");
            await stream.ReadUntilAsync(StreamTestData.NewLine);
            await StreamLink.UntilAsync(() => stream.Buffered == 8);
            ValueTask<byte[]> read = stream.ReadUntilAsync(StreamTestData.NewLine, maxBytes: 7);
            StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => read.AsTask());
            Assert.IsType<UnsatisfiableReadException>(closed.InnerException);
            await StreamLink.UntilAsync(() => stream.Closed.IsCancellationRequested);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-09")]
    public async Task ReadUntilAsync_MatchEndsAtTheLimit_Succeeds(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            await link.SendAsync("0123456\nmore");
            Assert.Equal("0123456\n", (await stream.ReadUntilAsync(StreamTestData.NewLine, maxBytes: 8)).Text());
            Assert.False(stream.IsClosed);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    public async Task ReadUntilAsync_Garbage_ClosesAtTheLimitAndNotBefore(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        byte[] garbage = StreamTestData.Noise(256 * 1024);
        await link.OnLoop(async stream =>
        {
            Task sending = link.SendAsync(garbage).AsTask();
            ValueTask<byte[]> read = stream.ReadUntilAsync("no such thing in there"u8.ToArray(), maxBytes: 100_000);
            StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => read.AsTask());
            Assert.IsType<UnsatisfiableReadException>(closed.InnerException);
            await ((Task)sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
    }

    [Theory, LoopStacks]
    public async Task ReadUntilAsync_BadArguments_Throws(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack, LinkKind.Pipe);
        await link.OnLoop(stream =>
        {
            Assert.Throws<ArgumentException>(() => { _ = stream.ReadUntilAsync(default); });
            Assert.Throws<ArgumentOutOfRangeException>(() => { _ = stream.ReadUntilAsync(StreamTestData.NewLine, maxBytes: 0); });
            Assert.Throws<ArgumentOutOfRangeException>(() => { _ = stream.ReadUntilCloseAsync(maxBytes: 0); });
            Assert.False(stream.IsReading);
            return Task.CompletedTask;
        });
    }
}
