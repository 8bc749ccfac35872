using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class WriteTests : StreamContract
{
    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-02")]
    public async Task WriteAsync_Little_IsDoneAtOnceAndArrives(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            Assert.True(stream.WriteAsync("hello "u8.ToArray()).IsCompletedSuccessfully);
            Assert.True(stream.IsWriting);
            Assert.True(stream.WriteAsync("world\n"u8.ToArray()).IsCompletedSuccessfully);
            byte[] received = new byte[12];
            await link.Peer.ReadExactlyAsync(received);
            Assert.Equal("hello world\n", received.Text());
            Assert.False(stream.IsWriting);
            await link.SendAsync("answer\n");
            Assert.Equal("answer\n", (await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    public async Task WriteAsync_PeerDoesNotReceive_WaitsUntilItDoes(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        byte[] noise = StreamTestData.Noise(StreamLink.MoreThanBuffersHold);
        await link.OnLoop(async stream =>
        {
            ValueTask write = stream.WriteAsync(noise);
            for (int turn = 0; turn < 100; turn++)
            {
                await Task.Yield();
                Assert.False(write.IsCompleted);
            }

            byte[] received = new byte[noise.Length];
            ValueTask peer = link.Peer.ReadExactlyAsync(received);
            await write;
            Assert.True(stream.WriteAsync("x"u8.ToArray()).IsCompletedSuccessfully);
            await peer;
            Assert.True(noise.AsSpan().SequenceEqual(received));
            await StreamLink.UntilAsync(() => !stream.IsWriting);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-30")]
    public async Task WriteAsync_AHundredMegabytesInParallel_CompleteInOrder(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        byte[] megabyte = StreamTestData.Noise(1024 * 1024);
        Task<byte[]> received = link.ReceiveAllAsync();
        await link.OnLoop(async stream =>
        {
            var order = new List<int>();
            async Task WriteAsync(int number)
            {
                megabyte[0] = (byte)number;
                await stream.WriteAsync(megabyte);
                order.Add(number);
            }

            await Task.WhenAll(Enumerable.Range(0, 100).Select(WriteAsync));
            Assert.Equal(Enumerable.Range(0, 100), order);
            await stream.CloseAsync();
        });
        byte[] all = await received.WithDeadline();
        Assert.Equal(100 * megabyte.Length, all.Length);
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal((byte)i, all[i * megabyte.Length]);
            Assert.True(all.AsSpan((i * megabyte.Length) + 1, megabyte.Length - 1).SequenceEqual(megabyte.AsSpan(1)));
        }
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-28")]
    public async Task WriteAsync_Nothing_CompletesAfterTheWritesBeforeIt(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            Assert.True(stream.WriteAsync(ReadOnlyMemory<byte>.Empty).IsCompletedSuccessfully);
            var order = new List<string>();
            async Task WriteAsync(string name, byte[] data)
            {
                await stream.WriteAsync(data);
                order.Add(name);
            }

            Task large = WriteAsync("large", new byte[StreamLink.MoreThanBuffersHold]);
            Task nothing = WriteAsync("nothing", []);
            Assert.Empty(order);
            await link.Peer.ReadExactlyAsync(new byte[StreamLink.MoreThanBuffersHold]);
            await Task.WhenAll(large, nothing);
            Assert.Equal(["large", "nothing"], order);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    public async Task WriteAsync_FromTheContinuationOfAnother_WaitsForItsOwnDrain(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            async Task WriteTwiceAsync()
            {
                await stream.WriteAsync(new byte[1_000_000]);
                ValueTask second = stream.WriteAsync(new byte[StreamLink.MoreThanBuffersHold]);
                await Task.Yield();
                Assert.False(second.IsCompleted);
                await second;
            }

            Task first = WriteTwiceAsync();
            Task other = stream.WriteAsync(new byte[1_000_000]).AsTask();
            ValueTask peer = link.Peer.ReadExactlyAsync(new byte[2_000_000]);
            await other;
            await peer;
            Assert.False(first.IsCompleted);
            await link.Peer.ReadExactlyAsync(new byte[StreamLink.MoreThanBuffersHold]);
            await first;
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-31")]
    public async Task WriteAsync_MemoryChangedAfterTheCall_SendsWhatItWas(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            byte[] data = "before"u8.ToArray();
            ValueTask write = stream.WriteAsync(data.AsMemory(1, 4));
            data.AsSpan().Clear();
            await write;
            byte[] received = new byte[4];
            await link.Peer.ReadExactlyAsync(received);
            Assert.Equal("efor", received.Text());
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-32")]
    public async Task WriteAsync_AfterTheClose_ThrowsFromTheCall(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            await stream.CloseAsync();
            Assert.Throws<StreamClosedException>(() => { _ = stream.WriteAsync(new byte[1]); });
            Assert.Throws<StreamClosedException>(() => { _ = stream.WriteAsync(default); });
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-34"), Contract("L-STR-50")]
    public async Task WriteAsync_PeerGoesAwayWhilePending_FailsAllWithTheCause(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            Task first = stream.WriteAsync(new byte[StreamLink.MoreThanBuffersHold]).AsTask();
            Task second = stream.WriteAsync(new byte[1]).AsTask();
            await Task.Yield();
            Assert.False(first.IsCompleted);
            if (link.PeerSocket is null)
            {
                await link.Peer.DisposeAsync();
            }
            else
            {
                link.Reset();
            }

            StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => first);
            Assert.NotNull(closed.InnerException);
            await Assert.ThrowsAsync<StreamClosedException>(() => second);
            Assert.True(stream.IsClosed);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    public async Task WriteAsync_CancelledWhilePending_StopsTheWaitAndSendsAllTheSame(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        byte[] noise = StreamTestData.Noise(StreamLink.MoreThanBuffersHold);
        await link.OnLoop(async stream =>
        {
            using var cancellation = new CancellationTokenSource();
            Task first = stream.WriteAsync(noise).AsTask();
            Task second = stream.WriteAsync("second"u8.ToArray(), cancellation.Token).AsTask();
            Task third = stream.WriteAsync("third"u8.ToArray()).AsTask();
            await cancellation.CancelAsync();
            OperationCanceledException cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
            Assert.Equal(cancellation.Token, cancelled.CancellationToken);
            Assert.False(first.IsCompleted);
            Assert.True(stream.WriteAsync("never"u8.ToArray(), cancellation.Token).IsCanceled);
            await link.Peer.ReadExactlyAsync(new byte[noise.Length]);
            await Task.WhenAll(first, third);
            byte[] tail = new byte[11];
            await link.Peer.ReadExactlyAsync(tail);
            Assert.Equal("secondthird", tail.Text());
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-28"), Contract("L-STR-30")]
    public async Task WriteAsync_BehindAFlushThatWaits_EndsAfterIt(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            var order = new List<string>();
            await stream.WriteAsync(new byte[10]);
            Task flush = Note(stream.FlushAsync(), "flush");
            Task little = Note(stream.WriteAsync(new byte[10]), "write");
            Task nothing = Note(stream.WriteAsync(Array.Empty<byte>()), "empty write");
            Assert.Empty(order);
            await Task.WhenAll(flush, little, nothing);
            Assert.Equal(["flush", "write", "empty write"], order);

            async Task Note(ValueTask operation, string name)
            {
                await operation;
                order.Add(name);
            }
        });
    }
}
