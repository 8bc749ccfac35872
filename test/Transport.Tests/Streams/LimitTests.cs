using LoopBridge.Streams;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class LimitTests : StreamContract
{
    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-26")]
    public async Task ReadUntilAsync_NeedsMoreThanTheBufferMayHold_ClosesWithBufferFull(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind, new LoopStreamOptions { MaxBufferSize = 100_000 });
        await link.OnLoop(async stream =>
        {
            Exception? told = null;
            int closes = 0;
            stream.OnClosed(reason =>
            {
                told = reason;
                closes++;
            });
            ValueTask<byte[]> read = stream.ReadUntilAsync(StreamTestData.NewLine);
            await link.SendAsync(new byte[100_000]);
            await StreamLink.UntilAsync(() => stream.Buffered == 100_000);
            Assert.False(read.IsCompleted);
            await link.SendAsync(new byte[1]);
            StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => read.AsTask());
            Assert.IsType<StreamBufferFullException>(closed.InnerException);
            Assert.Same(closed.InnerException, stream.Error);
            await StreamLink.UntilAsync(() => closes > 0);
            Assert.Same(stream.Error, told);
            Assert.Equal(1, closes);
            Assert.Equal(0, stream.BufferCapacity);
        });
        LogEntry error = Log.TakeSingle(LogLevel.Error);
        Assert.Equal(601, error.Id.Id);
        Assert.Contains("MaxBufferSize", error.Message, StringComparison.Ordinal);
    }

    [Theory, LoopStacks]
    [Contract("L-STR-26")]
    public async Task Reads_ThatFillTheBufferExactly_Succeed(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack, LinkKind.Socket, new LoopStreamOptions { MaxBufferSize = 1000 });
        await link.OnLoop(async stream =>
        {
            byte[] line = [.. new byte[999], (byte)'\n'];
            await link.SendAsync(line);
            Assert.Equal(line, await stream.ReadUntilAsync(StreamTestData.NewLine));
            byte[] large = StreamTestData.Noise(200_000);
            Task sending = link.SendAsync(large).AsTask();
            byte[] target = new byte[large.Length];
            await stream.ReadExactlyAsync(target); // the caller's memory, and none of the stream's
            Assert.Equal(large, target);
            await sending;
            await link.SendAsync(line);
            link.FinishSending();
            Assert.Equal(line, await stream.ReadUntilCloseAsync());
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-26")]
    public async Task ReadUntilCloseAsync_OneByteTooMany_ClosesWithBufferFull(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack, LinkKind.Socket, new LoopStreamOptions { MaxBufferSize = 1000 });
        await link.OnLoop(async stream =>
        {
            await link.SendAsync(new byte[1001]);
            link.FinishSending();
            StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.ReadUntilCloseAsync());
            Assert.IsType<StreamBufferFullException>(closed.InnerException);
        });
        Log.TakeSingle(LogLevel.Error);
    }

    [Theory, LoopStacks]
    [Contract("L-STR-26"), Contract("L-STR-24")]
    public async Task ReadExactlyAsync_SmallLimit_ReceivesNoMoreThanHalfOfItAhead(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack, LinkKind.Socket, new LoopStreamOptions { MaxBufferSize = 3000 });
        await link.OnLoop(async stream =>
        {
            await link.SendAsync(new byte[100_000]);
            byte[] ten = new byte[10];
            await stream.ReadExactlyAsync(ten);
            for (int i = 0; i < 1000; i++)
            {
                await stream.ReadExactlyAsync(ten);
                Assert.InRange(stream.Buffered, 0, 1500);
            }
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-24")]
    public async Task SmallReads_FromMoreThanTheLimit_AllSucceed(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind, new LoopStreamOptions { MaxBufferSize = 10_000 });
        await link.OnLoop(async stream =>
        {
            byte[] line = [.. StreamTestData.Noise(1023).Select(b => (byte)(b | 0x80)), (byte)'\n'];
            byte[] all = [.. Enumerable.Repeat(line, 500).SelectMany(each => each)];
            Task sending = link.SendAsync(all).AsTask();
            byte[] target = new byte[line.Length];
            for (int i = 0; i < 250; i++)
            {
                Assert.Equal(line, await stream.ReadUntilAsync(StreamTestData.NewLine));
                await stream.ReadExactlyAsync(target);
                Assert.Equal(line, target);
            }

            await sending;
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-32")]
    public async Task WriteAsync_MoreThanMayWait_ThrowsFromTheCallWritesNothingAndLeavesTheStreamOpen(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind, new LoopStreamOptions { MaxWriteBufferSize = 1_000_000 });
        byte[] noise = StreamTestData.Noise(600_000);
        await link.OnLoop(async stream =>
        {
            var writes = new List<Task>();
            StreamBufferFullException full;
            while (true)
            {
                try
                {
                    writes.Add(stream.WriteAsync(noise).AsTask());
                    await Task.Yield();
                    Assert.InRange(stream.Unsent, 0, 1_000_000);
                }
                catch (StreamBufferFullException e)
                {
                    full = e;
                    break;
                }
            }

            Assert.Contains("MaxWriteBufferSize", full.Message, StringComparison.Ordinal);
            Assert.False(stream.IsClosed);
            byte[] received = new byte[noise.Length];
            foreach (Task write in writes)
            {
                await link.Peer.ReadExactlyAsync(received);
                Assert.Equal(noise, received);
                await write;
            }

            await stream.WriteAsync("now"u8.ToArray());
            await stream.CloseAsync();
            Assert.Equal("now", (await link.ReceiveAllAsync()).Text());
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-07")]
    public async Task ReadUntilAsync_LimitMet_IsLoggedOnceAsInformation(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            await link.SendAsync("0123456789");
            await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.ReadUntilAsync(StreamTestData.NewLine, maxBytes: 8));
            await stream.CloseAsync();
        });
        LogEntry info = Log.TakeSingle(LogLevel.Information);
        Assert.Equal(600, info.Id.Id);
        Assert.Contains("8 bytes", info.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Contract("L-STR-26")]
    public void Options_Defaults_AreTornadosWithALimitOnBothSides()
    {
        var options = new LoopStreamOptions();
        Assert.Equal(100 * 1024 * 1024, options.MaxBufferSize);
        Assert.Equal(100 * 1024 * 1024, options.MaxWriteBufferSize);
        Assert.Equal(64 * 1024, options.ReadChunkSize);
        Assert.True(options.NoDelay);
        options.MaxBufferSize = 1001;
        Assert.Equal(500, options.ChunkSize);
        options.ReadChunkSize = 100;
        Assert.Equal(100, options.ChunkSize);
        options.MaxWriteBufferSize = null;
    }

    [Fact]
    public void Options_ValuesThatCannotWork_Throw()
    {
        var options = new LoopStreamOptions();
        Assert.Throws<ArgumentOutOfRangeException>(() => options.MaxBufferSize = 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.MaxWriteBufferSize = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.ReadChunkSize = 0);
    }

    // All of it stands in the kernel, and still the others get their turns: sixteen receives for each.
    [Theory, LoopStacks]
    [Contract("L-STR-24")]
    public async Task ReadExactlyAsync_MuchIsThere_YieldsToTheOthersInBetween(LoopStack stack)
    {
        const int Chunk = 100;
        const int Length = 1000 * Chunk;
        await using StreamLink link = await OpenAsync(stack, options: new LoopStreamOptions { ReadChunkSize = Chunk });
        await link.OnLoop(async stream =>
        {
            byte[] noise = StreamTestData.Noise(Length);
            byte[] received = new byte[Length];
            await link.SendAsync(noise);
            Task read = stream.ReadExactlyAsync(received).AsTask();
            int turns = 0;
            for (; !read.IsCompleted; turns++)
            {
                await Task.Yield();
            }

            await read;
            Assert.Equal(noise, received);
            Assert.True(turns >= Length / Chunk / 16 - 1, $"It took {turns} turns.");
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-25")]
    public async Task ReadUntilAsync_WaitsForTheFirstByte_HoldsNoBuffer(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            ValueTask<byte[]> read = stream.ReadUntilAsync(StreamTestData.NewLine);
            await Task.Yield();
            Assert.True(stream.IsReading);
            Assert.Equal(0, stream.BufferCapacity);
            await link.SendAsync("line\n");
            await read;
            Assert.Equal(0, stream.BufferCapacity);
        });
    }
}
