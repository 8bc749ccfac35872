using System.Buffers;
using System.Collections.Concurrent;
using LoopBridge.Streams;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class ContinuationTests : StreamContract
{
    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-FUT-15")]
    public async Task Await_OnTheLoop_GoesOnThereUnderTheLoopsContext(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            for (int i = 0; i < 3; i++)
            {
                ValueTask<int> read = stream.ReadAsync(new byte[10]);
                _ = link.SendAsync("x").AsTask();
                await (i == 1 ? read.ConfigureAwait(false) : read.ConfigureAwait(true));
                Assert.True(link.Loop.IsOnLoopThread);
                Assert.Same(link.Loop.SynchronizationContext, SynchronizationContext.Current);
            }

            ValueTask write = stream.WriteAsync(new byte[StreamLink.MoreThanBuffersHold]);
            ValueTask peer = link.Peer.ReadExactlyAsync(new byte[StreamLink.MoreThanBuffersHold]);
            await write;
            Assert.Same(link.Loop.SynchronizationContext, SynchronizationContext.Current);
            await peer;
            await stream.CloseAsync();
            Assert.Same(link.Loop.SynchronizationContext, SynchronizationContext.Current);
        });
    }

    [Theory, LoopStacks]
    public async Task Await_BytesArrive_GoesOnWithinTheDispatchThatBroughtThem(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack);
        await link.OnLoop(async stream =>
        {
            // What is posted runs after the callbacks that wait already. One time is proof; not each poll need find the bytes at once.
            bool overtook = false;
            for (int attempt = 0; attempt < 100 && !overtook; attempt++)
            {
                bool ran = false;
                ValueTask<byte[]> read = stream.ReadUntilAsync(StreamTestData.NewLine);
                link.Peer.Write("line\n"u8);
                link.Loop.AddCallback(() => ran = true);
                await read;
                overtook = !ran;
            }

            Assert.True(overtook);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    public async Task Await_UnderAnotherContext_GoesOnThere(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            var other = new RecordingContext();
            SynchronizationContext.SetSynchronizationContext(other);
            Task<int> read = ReadAsync();
            SynchronizationContext.SetSynchronizationContext(link.Loop.SynchronizationContext);
            await link.SendAsync("x");
            await StreamLink.UntilAsync(() => !other.Posted.IsEmpty);
            Assert.False(read.IsCompleted);
            Assert.True(other.Posted.TryDequeue(out Action? posted));
            posted();
            Assert.Equal(1, await read);

            async Task<int> ReadAsync() => await stream.ReadAsync(new byte[10]);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    [Contract("L-STR-22")]
    public async Task Await_UserCodeThrows_StaysInItsTaskAndTheStreamGoesOn(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            async Task FailAsync()
            {
                await stream.ReadUntilAsync(StreamTestData.NewLine);
                throw new InvalidDataException("mine");
            }

            Task failing = FailAsync();
            await link.SendAsync("one\n");
            await Assert.ThrowsAsync<InvalidDataException>(() => failing);
            await link.SendAsync("two\n");
            Assert.Equal("two\n", (await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    public async Task OnCompleted_RawContinuationThrows_GoesToTheLoopsExceptionHandler(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            ValueTask<byte[]> read = stream.ReadUntilAsync(StreamTestData.NewLine);
            read.GetAwaiter().OnCompleted(() => throw new InvalidDataException("raw"));
            await link.SendAsync("one\n");
            await StreamLink.UntilAsync(() => Log.AtLeast(LogLevel.Error).Any());
            Assert.Equal("raw", Log.TakeSingle(LogLevel.Error).Exception?.Message);
            await link.SendAsync("two\n");
            Assert.Equal("two\n", (await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    public async Task Members_OffTheLoopThread_ThrowAndNameTheRule(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        LoopStream stream = link.Stream;
        Action[] calls =
        [
            () => { _ = stream.ReadUntilAsync(StreamTestData.NewLine); },
            () => { _ = stream.ReadExactlyAsync(new byte[1]); },
            () => { _ = stream.ReadAsync(new byte[1]); },
            () => { _ = stream.ReadUntilCloseAsync(); },
            () => { _ = stream.WriteAsync(new byte[1]); },
            () => { _ = stream.CloseAsync(); },
            () => { _ = stream.DisposeAsync(); },
        ];
        foreach (Action call in calls)
        {
            Assert.Contains("loop-affine", Assert.Throws<InvalidOperationException>(call).Message, StringComparison.Ordinal);
        }

        Assert.False(stream.IsClosed);
        Assert.Same(link.Loop, stream.Loop);
        Assert.Equal(link.PeerSocket?.RemoteEndPoint, stream.LocalEndPoint);
        Assert.Equal(link.PeerSocket?.LocalEndPoint, stream.RemoteEndPoint);
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe, LinkKind.Tls)]
    public async Task Begin_BytesReceivedByTheSinkBefore_AreReadFirst(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            stream.Begin(new ReadOnlySequence<byte>("from be"u8.ToArray()));
            await link.SendAsync("fore\n");
            Assert.Equal("from before\n", (await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
        });
    }

    [Theory, LoopStacks]
    public async Task Echo_Steady_AllocatesNothingForEachOperation(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack);
        const int Rounds = 1000;
        const int Windows = 6;
        using var cancellation = new CancellationTokenSource();
        Task peer = Task.Run(() =>
        {
            byte[] message = new byte[64];
            for (int i = 0; i < Windows * Rounds; i++)
            {
                link.Peer.Write(message);
                link.Peer.ReadExactly(message);
            }
        }, TestContext.Current.CancellationToken);

        // The best of several windows: the first warms up, and a collection in between takes pooled arrays away.
        long least = long.MaxValue;
        await link.OnLoop(async stream =>
        {
            byte[] buffer = new byte[64];
            for (int window = 0; window < Windows; window++)
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                for (int i = 0; i < Rounds; i += 2)
                {
                    await stream.ReadExactlyAsync(buffer, cancellation.Token);
                    await stream.WriteAsync(buffer, cancellation.Token);
                    for (int read = 0; read < buffer.Length;)
                    {
                        read += await stream.ReadAsync(buffer.AsMemory(read));
                    }

                    await stream.WriteAsync(buffer, cancellation.Token);
                }

                least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            }
        });
        await peer.WithDeadline();
        Assert.InRange(least, 0, Rounds); // less than a byte for each
    }

    private sealed class RecordingContext : SynchronizationContext
    {
        internal ConcurrentQueue<Action> Posted { get; } = new();

        public override void Post(SendOrPostCallback d, object? state) => Posted.Enqueue(() => d(state));
    }
}
