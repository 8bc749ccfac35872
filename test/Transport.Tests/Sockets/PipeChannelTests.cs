using System.IO.Pipelines;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Sockets;

public sealed class PipeChannelTests
{
    [Fact]
    public async Task SteadyTraffic_AllocatesNothing()
    {
        const int Window = 2_000;
        const int Windows = 11;
        using var loop = new TestLoop(Ground.Epoll);
        var inline = new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false);
        (DuplexPipe ours, DuplexPipe theirs) = DuplexPipe.Pair(inline);
        long windowStart = 0;
        long least = long.MaxValue;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int round = 0;
        int nextWindow = Window;
        EchoSink sink = null!;
        await loop.InvokeAsync(() =>
        {
            var socket = new StreamSocket(loop.Loop, new PipeChannel(loop.Loop, ours, null, null));
            sink = new EchoSink(socket);
            socket.Start(sink);
        });

        // Both ends on the loop's thread: whatever is allocated for a message shows in that thread's count.
        PingWork? ping = null;
        ping = new PingWork(() =>
        {
            if (theirs.Input.TryRead(out ReadResult echoed))
            {
                theirs.Input.AdvanceTo(echoed.Buffer.End);
                round++;
            }

            if (round == nextWindow)
            {
                long now = GC.GetAllocatedBytesForCurrentThread();
                least = round == Window ? least : Math.Min(least, now - windowStart);
                windowStart = now;
                nextWindow += Window;
                if (round == Window * Windows)
                {
                    done.SetResult();
                    return;
                }
            }

            if (sink.Echoed == round)
            {
                theirs.Output.GetSpan(1)[0] = 1;
                theirs.Output.Advance(1);
                Flush(theirs.Output);
            }

            loop.Loop.Post(ping!);
        });
        loop.Loop.Post(ping);
        await done.Task.WithDeadline();

        // An object for each message, of 24 bytes at least, would show in every window; pools that a collection trims show in some.
        Assert.InRange(least, 0, Window * 8);
        await loop.InvokeAsync(() => sink.Socket.Close(null, reset: false));
        await sink.Closed.WithDeadline();
    }

    [Fact]
    public async Task Receive_PeerBreaksThePipe_ClosesWithTheReason()
    {
        await using Connected connected = await Connected.OpenAsync(Stand.Pipe);

        await connected.Peer.ResetAsync();

        Assert.IsType<Microsoft.AspNetCore.Connections.ConnectionResetException>(await connected.Sink.Closed);
    }

    [Fact]
    public async Task Read_CancelledBySomebodyElse_IsNoEnd()
    {
        (DuplexPipe ours, DuplexPipe theirs) = DuplexPipe.Pair();
        using var loop = new TestLoop(Ground.Epoll);
        RecordingSink sink = await StartAsync(loop, ours);

        for (int i = 0; i < 3; i++)
        {
            ours.Input.CancelPendingRead();
            await loop.SettleAsync();
        }

        await theirs.Output.WriteAsync(Pattern.At(0, 100), TestContext.Current.CancellationToken);
        await theirs.Output.CompleteAsync();
        await sink.EndOfStream;
        Assert.Equal(100, sink.Received);
        await CloseAsync(sink);
    }

    [Fact]
    public async Task Start_WithBytesAndEndThereAlready_TellsOfThem()
    {
        (DuplexPipe ours, DuplexPipe theirs) = DuplexPipe.Pair();
        await theirs.Output.WriteAsync(Pattern.At(0, 100), TestContext.Current.CancellationToken);
        await theirs.Output.CompleteAsync();
        using var loop = new TestLoop(Ground.Epoll);

        RecordingSink sink = await StartAsync(loop, ours);

        await sink.EndOfStream;
        Assert.Equal(100, sink.Received);
        await CloseAsync(sink);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Close_TellsWhatIsBelowOnce(bool reset)
    {
        (DuplexPipe ours, DuplexPipe theirs) = DuplexPipe.Pair();
        using var loop = new TestLoop(Ground.Epoll);
        var told = new List<bool>();
        RecordingSink sink = await StartAsync(loop, ours, told.Add);

        sink.Socket.RequestAbort(null, reset);
        sink.Socket.RequestAbort(null, !reset);
        await sink.Closed;

        Assert.Equal([reset], told);
        sink.Verify();
        Assert.Equal(reset, await Record.ExceptionAsync(async () => await theirs.Input.ReadAsync(TestContext.Current.CancellationToken)) is OperationCanceledException);
    }

    // The writer's last drain comes with the flush's completion, not with a call of Send.
    [Fact]
    public async Task Flush_AllTakenByOnePendingFlush_DrainIsReported()
    {
        await using Connected connected = await Connected.OpenAsync(Stand.Pipe, highWater: 1000);
        bool goOn = await connected.Loop.InvokeAsync(() =>
        {
            connected.Socket.Write(Pattern.At(0, 1 << 16).Span);
            connected.Socket.Write(Pattern.At(1 << 16, 1 << 16).Span);
            return connected.Socket.Flush();
        });
        Assert.False(goOn);

        Assert.Equal(1 << 17, await connected.Peer.ReceivePatternAsync(1 << 17));

        await connected.Sink.WaitDrainedAsync();
    }

    // No await, because a debug build makes an object of each async method's state.
    private static void Flush(PipeWriter output)
    {
#pragma warning disable CA2012 // a few bytes: ends at once
        Assert.True(output.FlushAsync().IsCompletedSuccessfully);
#pragma warning restore CA2012
    }

    private static Task<RecordingSink> StartAsync(TestLoop loop, IDuplexPipe pipe, Action<bool>? close = null) => loop.InvokeAsync(() =>
    {
        var socket = new StreamSocket(loop.Loop, new PipeChannel(loop.Loop, pipe, null, null, close));
        var sink = new RecordingSink(socket);
        socket.Start(sink);
        return sink;
    });

    private static async Task CloseAsync(RecordingSink sink)
    {
        sink.Socket.RequestAbort(null, reset: false);
        await sink.Closed;
        sink.Verify();
    }

    private sealed class PingWork(Action run) : ILoopWork
    {
        public void Run() => run();
    }

    private sealed class EchoSink(StreamSocket socket) : ISocketSink
    {
        private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly byte[] _buffer = new byte[64];

        internal StreamSocket Socket => socket;

        internal int Echoed { get; private set; }

        internal Task Closed => _closed.Task;

        public void OnReceivable()
        {
            IoResult result;
            while ((result = socket.Receive(_buffer)) is { IsOk: true, Count: > 0 })
            {
                socket.Write(_buffer.AsSpan(0, result.Count));
                socket.Flush();
                Echoed++;
            }
        }

        public void OnSendDrained()
        {
        }

        public void OnSendFinished()
        {
        }

        public void OnClosed(Exception? reason) => _closed.SetResult();
    }
}
