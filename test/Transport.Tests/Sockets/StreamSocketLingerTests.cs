using System.Net.Sockets;
using LoopBridge.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Sockets;

public sealed class StreamSocketLingerTests
{
    public static TheoryData<Stand> Stands => [Stand.Epoll, Stand.Managed, Stand.Handlers, Stand.HandlersOnManaged];

    [Theory]
    [MemberData(nameof(Stands))]
    public async Task CloseGently_PeerIsSending_IsClosedForTheSinkAndTakesWhatComes(Stand stand)
    {
        await using Connected connected = await OpenAsync(stand, new ManualTimeProvider()); // not as long as the limit lets it
        await CloseOverUnreadAsync(connected);
        Assert.Null(await connected.Sink.Closed);
        for (int i = 0; i < 20; i++)
        {
            await connected.Peer.SendAsync(new byte[64 * 1024]);
            await connected.Loop.SettleAsync();
        }

        Assert.Equal(0, await connected.Peer.ReceiveAsync(new byte[1]));
        Assert.Equal(1, connected.Loop.PendingTimeouts);
        await connected.Peer.FinishAsync();
        await AssertEndsAsync(connected);
    }

    [Theory]
    [MemberData(nameof(Stands))]
    public async Task CloseGently_PeerStaysSilent_EndsAfterTheLimit(Stand stand)
    {
        var clock = new ManualTimeProvider();
        await using Connected connected = await OpenAsync(stand, clock);
        await CloseOverUnreadAsync(connected);
        clock.Advance(StreamSocket.LingerLimit - TimeSpan.FromTicks(1));
        await connected.Loop.SettleAsync();
        Assert.Equal(1, connected.Loop.PendingTimeouts);
        clock.Advance(TimeSpan.FromTicks(1));
        await AssertEndsAsync(connected);
    }

    [Theory]
    [MemberData(nameof(Stands))]
    public async Task CloseGently_PeerSendsWithoutEnd_EndsAfterSoManyBytes(Stand stand)
    {
        await using Connected connected = await OpenAsync(stand, new ManualTimeProvider()); // the other limit does not end it
        await CloseOverUnreadAsync(connected);
        byte[] block = new byte[1024 * 1024];
        long sent = 0;
        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            while (sent < 4 * StreamSocket.MaxDiscarded)
            {
                await connected.Peer.SendAsync(block);
                sent += block.Length;
            }
        });
        Assert.True(sent >= StreamSocket.MaxDiscarded, $"It ended after {sent} bytes.");
        await AssertEndsAsync(connected);
    }

    [Theory]
    [InlineData(Stand.Epoll)]
    [InlineData(Stand.Managed)]
    public async Task CloseGently_LoopIsClosedMeanwhile_EndsWithIt(Stand stand)
    {
        await using Connected connected = await OpenAsync(stand);
        await CloseOverUnreadAsync(connected);
        connected.CloseLoop();
        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            while (true)
            {
                await connected.Peer.SendAsync(new byte[1]);
            }
        });
    }

    [Theory]
    [MemberData(nameof(Stands))]
    public async Task CloseGently_NothingUnread_EndsAtOnce(Stand stand)
    {
        await using Connected connected = await OpenAsync(stand);
        await connected.Loop.InvokeAsync(() =>
        {
            connected.Socket.FinishSending();
            connected.Socket.CloseGently(null, peerIsSending: false);
        });
        await AssertEndsAsync(connected);
    }

    private static Task<Connected> OpenAsync(Stand stand, TimeProvider? clock = null)
        => Connected.OpenAsync(stand, configure: sink => sink.Paused = true, clock: clock);

    private static async Task CloseOverUnreadAsync(Connected connected)
    {
        await connected.Peer.SendAsync(new byte[100]);
        connected.Socket.FinishSending();
        await connected.Sink.Finished;
        await connected.Loop.InvokeAsync(() => connected.Socket.CloseGently(null, peerIsSending: true));
        await connected.Sink.Closed;
    }

    // The timeout goes with the descriptor.
    private static async Task AssertEndsAsync(Connected connected)
    {
        await connected.Sink.Closed;
        for (int i = 0; i < 10_000 && connected.Loop.PendingTimeouts > 0; i++)
        {
            await connected.Loop.SettleAsync();
        }

        Assert.Equal(0, connected.Loop.PendingTimeouts);
    }
}
