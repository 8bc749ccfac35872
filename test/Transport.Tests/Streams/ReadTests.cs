using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class ReadTests : StreamContract
{
    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-03")]
    public async Task ReadExactlyAsync_ZeroBytes_CompletesAtOnceAndConsumesNothing(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            Assert.True(stream.ReadExactlyAsync(Memory<byte>.Empty).IsCompletedSuccessfully);
            await link.SendAsync("abcd");
            byte[] two = new byte[2];
            await stream.ReadExactlyAsync(two);
            Assert.Equal("ab", two.Text());
            Assert.True(stream.ReadExactlyAsync(Memory<byte>.Empty).IsCompletedSuccessfully);
            Assert.Equal(0, await stream.ReadAsync(Memory<byte>.Empty));
            await stream.ReadExactlyAsync(two);
            Assert.Equal("cd", two.Text());
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-04")]
    public async Task ReadAsync_WhileAnotherIsPending_ThrowsAndLeavesTheFirstAlone(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            ValueTask<byte[]> first = stream.ReadUntilAsync(StreamTestData.NewLine);
            Assert.True(stream.IsReading);
            Assert.Throws<InvalidOperationException>(() => { _ = stream.ReadAsync(new byte[1]); });
            Assert.Throws<InvalidOperationException>(() => { _ = stream.ReadExactlyAsync(new byte[1]); });
            Assert.Throws<InvalidOperationException>(() => { _ = stream.ReadUntilCloseAsync(); });
            await link.SendAsync("line\n");
            Assert.Equal("line\n", (await first).Text());
            Assert.False(stream.IsReading);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-04")]
    public async Task ReadUntilAsync_FromTheContinuationOfTheOneBefore_Goes(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            for (int i = 0; i < 20; i++)
            {
                ValueTask<byte[]> read = stream.ReadUntilAsync(StreamTestData.NewLine);
                Assert.False(read.IsCompleted);
                _ = link.SendAsync($"{i}\n").AsTask();
                Assert.Equal($"{i}\n", (await read).Text());
            }
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    public async Task ReadAsync_ResultOfTheOneBeforeNotLookedAt_BothResultsStand(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            ValueTask<byte[]> first = stream.ReadUntilAsync(StreamTestData.NewLine);
            await link.SendAsync("one\n");
            await StreamLink.UntilAsync(() => first.IsCompleted);
            ValueTask<byte[]> second = stream.ReadUntilAsync(StreamTestData.NewLine);
            await link.SendAsync("two\n");
            Assert.Equal("two\n", (await second).Text());
            Assert.Equal("one\n", (await first).Text());
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-05")]
    public async Task ReadAsync_MoreThanAskedForArrived_GivesUpToTheAmountAndKeepsTheRest(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            byte[] buffer = new byte[4];
            ValueTask<int> read = stream.ReadAsync(buffer);
            await link.SendAsync("abcdefg");
            Assert.Equal(4, await read);
            Assert.Equal("abcd", buffer.Text());
            Assert.Equal(3, await stream.ReadAsync(buffer));
            Assert.Equal("efgd", buffer.Text());
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-11"), Contract("L-STR-53")]
    public async Task ReadUntilCloseAsync_PeerFinishes_GivesAllAndClosesTheStream(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        byte[] noise = StreamTestData.Noise(3_000_000);
        await link.OnLoop(async stream =>
        {
            ValueTask<byte[]> read = stream.ReadUntilCloseAsync();
            await link.SendAsync(noise);
            link.FinishSending();
            Assert.Equal(noise, await read);
            Assert.True(stream.IsClosed);
            Assert.Throws<StreamClosedException>(() => { _ = stream.ReadExactlyAsync(new byte[1]); });
            Assert.Throws<StreamClosedException>(() => { _ = stream.WriteAsync(new byte[1]); });
            Assert.Empty(await stream.ReadUntilCloseAsync());
        });
        Assert.Empty(await link.ReceiveAllAsync().WithDeadline());
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-12")]
    public async Task ReadUntilCloseAsync_AfterTheCloseWithBytesBuffered_GivesThem(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            await link.SendAsync("no line");
            link.FinishSending();
            await Assert.ThrowsAsync<StreamClosedException>(() => stream.ReadUntilAsync(StreamTestData.NewLine).AsTask());
            await StreamLink.UntilAsync(() => stream.Closed.IsCancellationRequested);
            Assert.Equal("no line", (await stream.ReadUntilCloseAsync()).Text());
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    public async Task ReadUntilCloseAsync_MoreThanTheLimit_ClosesTheStream(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            ValueTask<byte[]> read = stream.ReadUntilCloseAsync(maxBytes: 10);
            await link.SendAsync("0123456789");
            await StreamLink.UntilAsync(() => stream.Buffered == 10);
            Assert.False(read.IsCompleted);
            await link.SendAsync("x");
            StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => read.AsTask());
            Assert.IsType<UnsatisfiableReadException>(closed.InnerException);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-01"), Contract("L-STR-14"), Contract("L-STR-18")]
    public async Task ReadAsync_PeerSentAndFinished_GivesPieceByPieceThenZeroForEver(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            ValueTask<byte[]> line = stream.ReadUntilAsync(StreamTestData.NewLine);
            await link.SendAsync("li");
            await StreamLink.UntilAsync(() => stream.Buffered == 2);
            await link.SendAsync("ne\ntail");
            link.FinishSending();
            Assert.Equal("line\n", (await line).Text());
            byte[] two = new byte[2];
            await stream.ReadExactlyAsync(two);
            Assert.Equal("ta", two.Text());
            Assert.Equal(2, await stream.ReadAsync(two));
            Assert.Equal("il", two.Text());
            Assert.Equal(0, await stream.ReadAsync(two));
            Assert.Equal(0, await stream.ReadAsync(two));
            Assert.True(stream.IsClosed);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-17")]
    public async Task ReadExactlyAsync_PeerFinishesMidway_FailsWithoutCauseAndLeavesTheBytes(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            ValueTask read = stream.ReadExactlyAsync(new byte[100_000]);
            await link.SendAsync("half");
            link.FinishSending();
            StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => read.AsTask());
            Assert.Null(closed.InnerException);
            Assert.Equal("half", (await stream.ReadUntilCloseAsync()).Text());
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-17"), Contract("L-STR-16"), Contract("L-STR-23")]
    public async Task ReadUntilAsync_PeerResets_FailsWithTheCauseAndClosesOnce(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack);
        await link.OnLoop(async stream =>
        {
            int closes = 0;
            stream.Closed.Register(() => closes++);
            ValueTask<byte[]> read = stream.ReadUntilAsync(StreamTestData.NewLine);
            await link.SendAsync("no line");
            await StreamLink.UntilAsync(() => stream.Buffered == 7);
            link.Reset();
            StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => read.AsTask());
            Assert.IsType<Microsoft.AspNetCore.Connections.ConnectionResetException>(closed.InnerException);
            await StreamLink.UntilAsync(() => closes > 0);
            Assert.Throws<StreamClosedException>(() => { _ = stream.ReadUntilAsync(StreamTestData.NewLine); });
            Assert.Throws<StreamClosedException>(() => { _ = stream.ReadUntilCloseAsync(); });
            byte[] rest = new byte[7];
            await stream.ReadExactlyAsync(rest);
            Assert.Equal("no line", rest.Text());
            Assert.Equal(1, closes);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-27"), Contract("L-STR-13")]
    public async Task Reads_OfAllKindsMixed_GiveTheSameBytes(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        byte[] noise = StreamTestData.Noise(2_000_000);
        Task sending = Task.Run(async () =>
        {
            var random = new Random(1);
            for (int i = 0; i < noise.Length;)
            {
                int count = Math.Min(random.Next(1, 30_000), noise.Length - i);
                await link.SendAsync(noise[i..(i + count)]);
                i += count;
            }

            link.FinishSending();
        }, TestContext.Current.CancellationToken);
        var all = new MemoryStream();
        await link.OnLoop(async stream =>
        {
            var random = new Random(2);
            byte[] buffer = new byte[20_000];
            while (all.Length < noise.Length - buffer.Length)
            {
                int size = random.Next(4) == 0 ? random.Next(buffer.Length) : random.Next(100);
                switch (random.Next(3))
                {
                    case 0:
                        all.Write(buffer, 0, await stream.ReadAsync(buffer.AsMemory(0, size)));
                        break;
                    case 1:
                        await stream.ReadExactlyAsync(buffer.AsMemory(0, size));
                        all.Write(buffer, 0, size);
                        break;
                    default:
                        all.Write(await stream.ReadUntilAsync(new[] { noise[all.Length + random.Next(5)] }));
                        break;
                }
            }

            all.Write(await stream.ReadUntilCloseAsync());
        });
        await sending.WithDeadline();
        Assert.Equal(noise, all.ToArray());
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-24"), Contract("L-STR-25")]
    public async Task Stream_NoReadPending_ReceivesNothingAndLaterAllInOrder(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        byte[] noise = StreamTestData.Noise(StreamLink.MoreThanBuffersHold);
        Task sending = link.SendAsync(noise).AsTask();
        await link.OnLoop(async stream =>
        {
            byte[] start = new byte[10];
            await stream.ReadExactlyAsync(start);
            Assert.Equal(noise[..10], start);
            for (int turn = 0; turn < 100; turn++)
            {
                await Task.Yield();
                Assert.InRange(stream.Buffered, 0, LoopStreamOptions.DefaultReadChunkSize);
            }

            Assert.False(sending.IsCompleted);
            byte[] rest = new byte[noise.Length - 10];
            for (int i = 0; i < rest.Length;)
            {
                int count = Math.Min(i < 100_000 ? 7 : 1_000_000, rest.Length - i);
                await stream.ReadExactlyAsync(rest.AsMemory(i, count));
                i += count;
                Assert.InRange(stream.BufferCapacity, 0, 2 * LoopStreamOptions.DefaultReadChunkSize);
            }

            Assert.True(noise.AsSpan(10).SequenceEqual(rest));
        });
        await sending.WithDeadline();
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    public async Task ReadUntilCloseAsync_EndlessSender_LetsTheLoopTakeTurns(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        byte[] noise = StreamTestData.Noise(16 * 1024 * 1024);
        Task sending = Task.Run(async () =>
        {
            await link.SendAsync(noise);
            link.FinishSending();
        }, TestContext.Current.CancellationToken);
        await link.OnLoop(async stream =>
        {
            int turns = 0;
            CountTurn();
            Assert.Equal(noise, await stream.ReadUntilCloseAsync());
            Assert.True(turns >= 8, $"{turns} turns"); // a megabyte for each dispatch, of which a turn has at most two

            void CountTurn()
            {
                turns++;
                link.Loop.AddCallback(CountTurn);
            }
        });
        await sending.WithDeadline();
    }
}
