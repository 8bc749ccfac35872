using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Sockets;

public sealed class StreamSocketSendTests
{
    private const long Much = 100L << 20;

    [Theory]
    [InlineData(Stand.Epoll, true, Much)]
    [InlineData(Stand.Epoll, false, Much)]
    [InlineData(Stand.Managed, true, Much)]
    [InlineData(Stand.Managed, false, Much)]
    [InlineData(Stand.Handlers, true, Much / 4)]
    [InlineData(Stand.Handlers, false, Much / 4)]
    [InlineData(Stand.HandlersOnManaged, true, Much / 4)]
    [InlineData(Stand.HandlersOnManaged, false, Much / 4)]
    [InlineData(Stand.Pipe, true, Much / 4)]
    [InlineData(Stand.Pipe, false, Much / 4)]
    [InlineData(Stand.Completing, true, Much / 4)]
    [InlineData(Stand.Completing, false, Much / 4)]
    public async Task Write_ToSlowReader_AllArrivesInOrder(Stand stand, bool onLoop, long total)
    {
        await using Connected connected = await Connected.OpenAsync(stand);
        Task writing = onLoop ? connected.WriteOnLoopAsync(total, 30_000) : Background.Run(() => connected.WriteOffLoopAsync(total, 30_000));

        Assert.Equal(total, await connected.Peer.ReceivePatternAsync(total, step: 9_000));

        await writing.WithDeadline();
    }

    [Theory]
    [InlineData(Stand.Epoll)]
    [InlineData(Stand.Managed)]
    [InlineData(Stand.Handlers)]
    [InlineData(Stand.HandlersOnManaged)]
    [InlineData(Stand.Pipe)]
    [InlineData(Stand.Completing)]
    public async Task Write_OnAndOffLoopInTurn_AllArrivesInOrder(Stand stand)
    {
        const long Total = 10 << 20;
        await using Connected connected = await Connected.OpenAsync(stand);
        Task writing = Background.Run(() => connected.WriteMixedAsync(Total, 9_000));

        Assert.Equal(Total, await connected.Peer.ReceivePatternAsync(Total));

        await writing.WithDeadline();
    }

    // A low mark near zero makes the writer wait all the time: a drain that is not reported stops it for ever.
    [Theory]
    [InlineData(Stand.Epoll)]
    [InlineData(Stand.Managed)]
    [InlineData(Stand.Handlers)]
    [InlineData(Stand.Pipe)]
    [InlineData(Stand.Completing)]
    public async Task Flush_OffLoopOverTinyHighWater_EachDrainIsReported(Stand stand)
    {
        const long Total = 1 << 20;
        await using Connected connected = await Connected.OpenAsync(stand, highWater: 2);
        Task writing = Background.Run(() => connected.WriteOffLoopAsync(Total, 60));
        Task onLoop = connected.Peer.ReceivePatternAsync(Total);

        await Task.WhenAll(writing, onLoop).WithDeadline();
    }

    [Theory]
    [InlineData(Stand.Epoll)]
    [InlineData(Stand.Managed)]
    [InlineData(Stand.Handlers)]
    [InlineData(Stand.Pipe)]
    [InlineData(Stand.Completing)]
    public async Task Flush_PeerDoesNotRead_FalseAboveHighWaterAndDrainedAtLowWater(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand, highWater: 100_000);
        long unsentWhenDrained = -1;
        connected.Sink.Drained = () => unsentWhenDrained = connected.Socket.Unsent;
        long written = 0;
        bool goOn = true;
        while (goOn)
        {
            goOn = await connected.Loop.InvokeAsync(() =>
            {
                connected.Socket.Write(Pattern.At(written, 20_000).Span);
                written += 20_000;
                return connected.Socket.Flush();
            });
            await connected.Loop.SettleAsync();
        }

        Assert.InRange(connected.Socket.Unsent, 100_001, 120_000);
        Assert.Equal(0, connected.Sink.DrainedCalls);
        await connected.Peer.ReceivePatternAsync(written);
        await connected.Sink.WaitDrainedAsync();

        Assert.Equal(1, connected.Sink.DrainedCalls);
        Assert.InRange(unsentWhenDrained, 0, 50_000);
    }

    // Two threads on loopback can keep up for ever: without a share the loop would send on and serve nobody else.
    [Theory]
    [InlineData(Stand.Epoll)]
    [InlineData(Stand.Managed)]
    public async Task Flush_PeerKeepsUp_LoopTurnsInBetween(Stand stand)
    {
        const int Size = 32 * 1024 * 1024;
        await using Connected connected = await Connected.OpenAsync(stand);
        long unsentOneTurnLater = 0;
        Task received = connected.Peer.ReceivePatternAsync(Size);
        await connected.Loop.InvokeAsync(() =>
        {
            for (int position = 0; position < Size; position += 65536)
            {
                connected.Socket.Write(Pattern.At(position, 65536).Span);
            }

            connected.Socket.Flush();
            connected.Loop.Loop.AddCallback(() => unsentOneTurnLater = connected.Socket.Unsent);
        });
        await received.WithDeadline();

        Assert.InRange(unsentOneTurnLater, Size - (1024 * 1024), Size);
    }

    [Theory]
    [InlineData(Stand.Epoll)]
    [InlineData(Stand.Managed)]
    [InlineData(Stand.Handlers)]
    [InlineData(Stand.Pipe)]
    [InlineData(Stand.Completing)]
    public async Task FinishSending_WithMuchUnsent_SendsAllThenEnds(Stand stand)
    {
        const long Total = 5 << 20;
        await using Connected connected = await Connected.OpenAsync(stand, highWater: 0);
        await connected.Loop.InvokeAsync(() =>
        {
            for (long position = 0; position < Total; position += 1 << 16)
            {
                connected.Socket.Write(Pattern.At(position, 1 << 16).Span);
            }

            connected.Socket.FinishSending();
        });

        Assert.Equal(Total, await connected.Peer.ReceivePatternAsync());
        await connected.Sink.Finished;
        Assert.Equal(0, connected.Socket.Unsent);
        await connected.Peer.SendPatternAsync(10);
        await connected.Peer.FinishAsync();
        await connected.Sink.EndOfStream;
        Assert.Equal(10, connected.Sink.Received);
    }

    // The end is asked for while another thread sends what was flushed before: it must not come ahead of the bytes that are committed with
    // it.
    [Theory]
    [InlineData(Stand.Epoll)]
    [InlineData(Stand.Managed)]
    public async Task FinishSending_WhileTheLoopSends_LastBytesComeFirst(Stand stand)
    {
        for (int round = 0; round < 300; round++)
        {
            await using Connected connected = await Connected.OpenAsync(stand);
            using var start = new Barrier(2);
            CancellationToken token = TestContext.Current.CancellationToken;
            Task onLoop = connected.Loop.InvokeAsync(() =>
            {
                connected.Socket.Write(Pattern.At(0, 100).Span);
                connected.Socket.Flush();
                start.SignalAndWait(token);
            });
            start.SignalAndWait(token);
            Thread.SpinWait(round * 5);
            connected.Socket.Write(Pattern.At(100, 5000).Span);
            connected.Socket.FinishSending();

            Assert.Equal(5100, await connected.Peer.ReceivePatternAsync());
            await onLoop.WithDeadline();
            await connected.Sink.Finished;
        }
    }

    [Theory]
    [InlineData(Stand.Epoll)]
    [InlineData(Stand.Managed)]
    [InlineData(Stand.Handlers)]
    [InlineData(Stand.Pipe)]
    [InlineData(Stand.Completing)]
    public async Task Flush_OnAndOffLoop_IdleConnectionHoldsNoBlock(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand);
        Task<long> reading = connected.Peer.ReceivePatternAsync(300_000);
        await Background.Run(() => connected.WriteMixedAsync(300_000, 100));
        await reading;

        await connected.Loop.SettleAsync();

        Assert.Equal(0, connected.Socket.Unsent);
        Assert.Equal(0, connected.Pool.Outstanding);
    }

    [Theory]
    [InlineData(Stand.Epoll)]
    [InlineData(Stand.Managed)]
    [InlineData(Stand.Handlers)]
    [InlineData(Stand.Pipe)]
    [InlineData(Stand.Completing)]
    public async Task Write_AfterClose_GoesBackToThePool(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand);
        connected.Socket.Write([1, 2, 3]);
        connected.Socket.RequestAbort(null, reset: false);
        await connected.Sink.Closed;
        Assert.NotEqual(0, connected.Pool.Outstanding);

        Assert.True(connected.Socket.Flush());
        await connected.Loop.InvokeAsync(() =>
        {
            connected.Socket.Write([4, 5, 6]);
            connected.Socket.FinishSending();
        });
        await connected.Loop.SettleAsync();

        Assert.Equal(0, connected.Pool.Outstanding);
    }
}
