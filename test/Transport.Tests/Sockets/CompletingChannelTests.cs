using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>
/// What the engine owes a channel that completes, beside all that the other tests see on <see cref="Stand.Completing"/>: memory that is
/// being sent is the channel's until it says so.
/// </summary>
public sealed class CompletingChannelTests
{
    // More than the kernel takes from a sender whose peer does not read.
    private const int Much = 16 << 20;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Close_SendUnderWay_ItsBlocksStayUntilTheChannelIsClosed(bool reset)
    {
        await using Connected connected = await Connected.OpenAsync(Stand.Completing, highWater: 0);
        await BeginToSendAsync(connected);
        (int held, int afterClose, bool toldAtOnce) = await connected.Loop.InvokeAsync(() =>
        {
            int held = connected.Pool.Outstanding;
            connected.Socket.Close(null, reset);
            return (held, connected.Pool.Outstanding, connected.Sink.Closed.IsCompleted);
        });
        await connected.Sink.Closed;

        Assert.Equal((held, false), (afterClose, toldAtOnce));
        Assert.Equal(0, connected.Pool.Outstanding);
        if (!reset)
        {
            Assert.InRange(await connected.Peer.ReceivePatternAsync(), 1, Much - 1); // and nothing of what blocks hold that were given back
        }
    }

    [Fact]
    public async Task CloseLoop_SendUnderWay_ItsBlocksComeBack()
    {
        await using Connected connected = await Connected.OpenAsync(Stand.Completing, highWater: 0);
        await BeginToSendAsync(connected);

        connected.CloseLoop();

        Assert.IsType<ObjectDisposedException>(await connected.Sink.Closed);
    }

    [Fact]
    public async Task Flush_OffLoopWhileASendIsUnderWay_WaitsForItAndKeepsTheOrder()
    {
        await using Connected connected = await Connected.OpenAsync(Stand.Completing, highWater: 0);
        await BeginToSendAsync(connected);

        await Background.Run(() =>
        {
            connected.Socket.Write(Pattern.At(Much, 1000).Span);
            connected.Socket.Flush();
            connected.Socket.FinishSending();
        }).WithDeadline();

        Assert.Equal(Much + 1000, await connected.Peer.ReceivePatternAsync());
        await connected.Sink.Finished;
    }

    private static async Task BeginToSendAsync(Connected connected)
    {
        await connected.Loop.InvokeAsync(() =>
        {
            for (int position = 0; position < Much; position += 1 << 16)
            {
                connected.Socket.Write(Pattern.At(position, 1 << 16).Span);
            }

            connected.Socket.Flush();
        });
        await connected.Loop.SettleAsync();
        Assert.True(connected.Socket.Unsent > 0, "The kernel has taken all.");
    }
}
