using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Sockets;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Transport.Tests.Sockets;

public sealed class StreamSocketCloseTests
{
    public static TheoryData<Stand> Stands => [.. Enum.GetValues<Stand>()];

    [Theory]
    [InlineData(Stand.Epoll)]
    [InlineData(Stand.Managed)]
    [InlineData(Stand.Handlers)]
    public async Task Close_WithReset_PeerSeesReset(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand);

        await connected.Loop.InvokeAsync(() => connected.Socket.Close(null, reset: true));

        SocketException error = await Assert.ThrowsAsync<SocketException>(() => connected.Peer.ReceiveAsync(new byte[1]));
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
        Assert.Null(await connected.Sink.Closed);
    }

    [Fact]
    public async Task Close_WithResetOverPipe_PeerSeesCancellation()
    {
        await using Connected connected = await Connected.OpenAsync(Stand.Pipe);

        await connected.Loop.InvokeAsync(() => connected.Socket.Close(null, reset: true));

        await Assert.ThrowsAsync<OperationCanceledException>(() => connected.Peer.ReceiveAsync(new byte[1]));
    }

    [Theory]
    [MemberData(nameof(Stands))]
    public async Task Close_WithoutReset_PeerSeesEnd(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand);

        await connected.Loop.InvokeAsync(() => connected.Socket.Close(null, reset: false));

        Assert.Equal(0, await connected.Peer.ReceiveAsync(new byte[1]));
    }

    [Theory]
    [MemberData(nameof(Stands))]
    public async Task Send_ToResetPeer_ClosesWithTheReason(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand, configure: sink => sink.Paused = true);
        await connected.Peer.ResetAsync();

        // The first send may still be taken by the kernel; one of the next finds out.
        while (!connected.Socket.IsClosing)
        {
            await connected.Loop.InvokeAsync(() =>
            {
                connected.Socket.Write([1]);
                connected.Socket.Flush();
            });
        }

        Assert.IsType<ConnectionResetException>(await connected.Sink.Closed);
    }

    [Theory]
    [InlineData(Stand.Epoll)]
    [InlineData(Stand.Managed)]
    [InlineData(Stand.Handlers)]
    public async Task Send_OffLoopToResetPeer_ClosesWithTheReason(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand, configure: sink => sink.Paused = true);
        await connected.Peer.ResetAsync();

        while (!connected.Socket.IsClosing)
        {
            connected.Socket.Write([1]);
            connected.Socket.Flush();
        }

        Assert.IsType<ConnectionResetException>(await connected.Sink.Closed);
    }

    [Theory]
    [MemberData(nameof(Stands))]
    public async Task RequestAbort_FromManyThreadsRepeatedly_ClosesOnce(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand);
        var reason = new InvalidOperationException("first");

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Background.Run(() => connected.Socket.RequestAbort(reason, reset: i % 2 == 0)))).WithDeadline();

        Assert.Same(reason, await connected.Sink.Closed);
        connected.Socket.RequestAbort(new InvalidOperationException("late"), reset: true);
        await connected.Loop.SettleAsync();
    }

    [Theory]
    [MemberData(nameof(Stands))]
    public async Task Close_WhileASendWaitsForThePeer_DropsTheRest(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand, highWater: 0);
        await connected.Loop.InvokeAsync(() =>
        {
            for (int i = 0; i < 160; i++)
            {
                connected.Socket.Write(Pattern.At(0, 1 << 16).Span);
            }

            connected.Socket.Flush();
        });
        await connected.Loop.SettleAsync();
        Assert.NotEqual(0, connected.Socket.Unsent);

        await connected.Loop.InvokeAsync(() => connected.Socket.Close(null, reset: false));
        await connected.Sink.Closed;

        Assert.Equal(0, connected.Socket.Unsent);
        Assert.Equal(0, connected.Pool.Outstanding);
    }

    // TCP answers a close over unread bytes with RST, and the peer's kernel then drops what it had of our last words.
    [Theory]
    [InlineData(Stand.Epoll)]
    [InlineData(Stand.Managed)]
    public async Task Close_WithUnreadInput_PeerGetsTheLastWordsAndTheEnd(Stand stand)
    {
        // More than the peer's kernel takes while it does not read, less than ours takes: the rest waits there at the close.
        const int Size = 300_000;
        await using Connected connected = await Connected.OpenAsync(stand, configure: sink => sink.Paused = true);
        using (Socket ours = connected.Socket.RawSocket!.Borrow())
        {
            ours.SendBufferSize = Size * 2; // which the kernel chooses by what it has seen of the path, if it is left to it
        }

        await connected.Peer.SendAsync(new byte[1000]);
        await connected.Loop.SettleAsync();

        await connected.Loop.InvokeAsync(() =>
        {
            for (int position = 0; position < Size; position += 50_000)
            {
                connected.Socket.Write(Pattern.At(position, 50_000).Span);
            }

            connected.Socket.FinishSending();
        });
        Assert.True(SpinWait.SpinUntil(() => connected.Socket.Unsent == 0, Deadline.Default));
        await connected.Loop.InvokeAsync(() => connected.Socket.Close(null, reset: false));
        await connected.Sink.Closed;

        Assert.Equal(Size, await connected.Peer.ReceivePatternAsync());
    }

    // Not on a loop that shows its public members alone: it owns nothing, and there the handlers' owner closes first.
    [Theory]
    [InlineData(Stand.Epoll)]
    [InlineData(Stand.Managed)]
    [InlineData(Stand.Pipe)]
    public async Task Dispose_OfLoopUnderLiveConnection_ClosesIt(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand, configure: sink => sink.Paused = true);
        await connected.Loop.InvokeAsync(() =>
        {
            connected.Socket.Write(Pattern.At(0, 60_000).Span);
            connected.Socket.Flush();
        });

        connected.CloseLoop();

        Assert.IsType<ObjectDisposedException>(await connected.Sink.Closed);
        await Assert.ThrowsAnyAsync<Exception>(() => connected.Peer.ReceivePatternAsync());
    }

    // Whoever sends on another thread leaves the close to a loop that takes no posts any more, unless its Dispose waits for him.
    [Theory]
    [InlineData(Stand.Epoll)]
    [InlineData(Stand.Managed)]
    public async Task Dispose_OfLoopWhileAnotherThreadSends_ClosesAndReturnsAllBlocks(Stand stand)
    {
        for (int round = 0; round < 100; round++)
        {
            await using Connected connected = await Connected.OpenAsync(stand, highWater: 0);
            Task<long> reading = connected.Peer.ReceivePatternAsync().ContinueWith(_ => 0L, TaskScheduler.Default);
            using var started = new ManualResetEventSlim();
            Task writing = Background.Run(() =>
            {
                while (!connected.Socket.IsClosing)
                {
                    connected.Socket.Write(Pattern.At(0, 5000).Span);
                    connected.Socket.Flush();
                    started.Set();
                }

                connected.Socket.Flush();
            });
            Assert.True(started.Wait(Deadline.Default, TestContext.Current.CancellationToken));

            connected.CloseLoop();

            Assert.IsType<ObjectDisposedException>(await connected.Sink.Closed);
            await writing.WithDeadline();
            await reading.WithDeadline();
        }
    }

    [Theory]
    [MemberData(nameof(Stands))]
    public async Task Close_FromWithinOnReceivable_IsTheLastThing(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand);
        connected.Sink.Receivable = () => connected.Socket.Close(null, reset: false);

        await connected.Peer.SendAsync(new byte[10]);

        Assert.Null(await connected.Sink.Closed);
        Assert.Equal(0, connected.Sink.Received);
    }

    [Fact]
    public async Task Start_RefusedByTheKernel_ClosesTheConnection()
    {
        await using Connected connected = await Connected.OpenAsync(Stand.Epoll);

        // epoll_ctl(ADD) of a descriptor that is in the set already answers EEXIST, which stands here for ENOSPC and ENOMEM.
        RecordingSink second = await connected.Loop.InvokeAsync(() =>
        {
            ISocketDriver driver = HandlerSocketDriver.For(connected.Loop.Loop);
            var socket = new StreamSocket(connected.Loop.Loop, driver.OpenStream(connected.Socket.RawSocket!));
            var sink = new RecordingSink(socket);
            socket.Start(sink);
            return sink;
        });

        Assert.IsType<IOException>(await second.Closed, exactMatch: false);
        second.Verify();
    }

    [Fact]
    public async Task Close_BeforeStart_TakesWhatIsWritten()
    {
        using var loop = new TestLoop(Ground.Epoll);
        using var pool = new CountingPool();
        await loop.InvokeAsync(() =>
        {
            ISocketDriver driver = HandlerSocketDriver.For(loop.Loop);
            var socket = new StreamSocket(
                loop.Loop, driver.OpenStream(driver.CreateSocket(AddressFamily.InterNetwork)), new StreamSocketOptions { Pool = pool });
            socket.Write([1]);
            socket.Flush();
            socket.Close(null, reset: false);
            socket.Write([2]);
            socket.Flush();
        });
        await loop.SettleAsync();

        Assert.Equal(0, pool.Outstanding);
    }
}
