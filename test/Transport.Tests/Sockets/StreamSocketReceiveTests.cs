using LoopBridge.Drivers;
using LoopBridge.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Sockets;

public sealed class StreamSocketReceiveTests
{
    public static TheoryData<Stand> Stands => [.. Enum.GetValues<Stand>()];

    [Theory]
    [MemberData(nameof(Stands))]
    public async Task Receive_MuchThenEnd_AllInOrderThenEndOfStream(Stand stand)
    {
        long total = stand is Stand.Epoll or Stand.Managed ? 100 << 20 : 20 << 20;
        await using Connected connected = await Connected.OpenAsync(stand);

        await connected.Peer.SendPatternAsync(total);
        await connected.Peer.FinishAsync();
        await connected.Sink.EndOfStream;

        Assert.Equal(total, connected.Sink.Received);
        Assert.True(connected.Socket.IsEndOfStream);
        Assert.False(connected.Socket.IsClosing);
    }

    [Theory]
    [MemberData(nameof(Stands))]
    public async Task Receive_DataAndEndAtOnce_DataFirst(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand, configure: sink => sink.Paused = true);
        await connected.Peer.SendPatternAsync(50_000);
        await connected.Peer.FinishAsync();
        await connected.Loop.SettleAsync();

        await connected.Loop.InvokeAsync(() =>
        {
            connected.Sink.Paused = false;
            connected.Sink.ReceiveAll();
        });
        await connected.Sink.EndOfStream;

        Assert.Equal(50_000, connected.Sink.Received);
    }

    [Theory]
    [MemberData(nameof(Stands))]
    public async Task Receive_PausedThenResumed_NothingLost(Stand stand)
    {
        const long Total = 8 << 20;
        await using Connected connected = await Connected.OpenAsync(stand);
        Task sending = Background.Run(() => connected.Peer.SendPatternAsync(Total));
        for (int i = 0; i < 50; i++)
        {
            long before = await connected.Loop.InvokeAsync(() =>
            {
                connected.Sink.Paused = true;
                return connected.Sink.Received;
            });
            await connected.Loop.SettleAsync();
            Assert.Equal(before, connected.Sink.Received);
            await connected.Loop.InvokeAsync(() =>
            {
                connected.Sink.Paused = false;
                connected.Sink.ReceiveAll();
            });
        }

        await sending.WithDeadline();
        await connected.Peer.FinishAsync();
        await connected.Sink.EndOfStream;
        Assert.Equal(Total, connected.Sink.Received);
    }

    [Theory]
    [MemberData(nameof(Stands))]
    public async Task Receive_PeerHangsUpWhilePaused_LoopDoesNotSpin(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand, configure: sink => sink.Paused = true);
        await connected.Peer.SendPatternAsync(1000);
        await connected.Loop.SettleAsync();

        // Both directions end, so that a level-triggered watch would report a hang-up in every turn.
        await connected.Loop.InvokeAsync(connected.Socket.FinishSending);
        await connected.Sink.Finished;
        await connected.Peer.FinishAsync();
        connected.Peer.Dispose();

        await Spin.AssertNoneAsync(connected.Loop);
        await connected.Loop.InvokeAsync(() =>
        {
            connected.Sink.Paused = false;
            connected.Sink.ReceiveAll();
        });
        await (stand == Stand.Pipe ? connected.Sink.EndOfStream : Task.WhenAny(connected.Sink.EndOfStream, connected.Sink.Closed));
        Assert.Equal(1000, connected.Sink.Received);
    }

    [Theory]
    [MemberData(nameof(Stands))]
    public async Task Receive_PeerResetsWhilePaused_LoopDoesNotSpin(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand, configure: sink => sink.Paused = true);
        await connected.Peer.SendPatternAsync(1000);
        await connected.Loop.SettleAsync();
        await connected.Peer.ResetAsync();

        await Spin.AssertNoneAsync(connected.Loop);
        await connected.Loop.InvokeAsync(() =>
        {
            connected.Sink.Paused = false;
            connected.Sink.ReceiveAll();
        });
        Assert.IsType<Microsoft.AspNetCore.Connections.ConnectionResetException>(await connected.Sink.Closed);
    }

    [Theory]
    [MemberData(nameof(Stands))]
    public async Task ChangeSink_InMidStream_NewSinkGetsTheRest(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand);
        await connected.Peer.SendAsync("first"u8.ToArray().AsMemory()[..0]);
        var second = new TakeOverSink(connected.Socket, connected.Sink);
        byte[] taken = new byte[4];
        connected.Sink.Receivable = () =>
        {
            connected.Sink.Paused = true;
            if (connected.Socket.Receive(taken) is { IsOk: true, Count: 4 })
            {
                connected.Socket.ChangeSink(second);
                second.Begin(taken);
            }
        };

        await connected.Peer.SendAsync("headthe body"u8.ToArray());
        await connected.Peer.FinishAsync();

        Assert.Equal("headthe body", await second.Text.WithDeadline());
    }

    [Theory]
    [InlineData(Stand.Epoll)]
    [InlineData(Stand.Pipe)]
    public async Task Receive_IntoNothing_Throws(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand);

        await connected.Loop.InvokeAsync(() => Assert.Throws<ArgumentException>(() => connected.Socket.Receive([])));
    }

    private sealed class TakeOverSink(StreamSocket socket, RecordingSink first) : ISocketSink
    {
        private readonly MemoryStream _bytes = new();
        private readonly TaskCompletionSource<string> _text = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task<string> Text => _text.Task;

        internal void Begin(ReadOnlySpan<byte> alreadyReceived)
        {
            _bytes.Write(alreadyReceived);
            OnReceivable();
        }

        public void OnReceivable()
        {
            Span<byte> buffer = stackalloc byte[3];
            IoResult result;
            while ((result = socket.Receive(buffer)).IsOk)
            {
                if (result.Count == 0)
                {
                    _text.TrySetResult(System.Text.Encoding.UTF8.GetString(_bytes.ToArray()));
                    return;
                }

                _bytes.Write(buffer[..result.Count]);
            }
        }

        public void OnSendDrained()
        {
        }

        public void OnSendFinished()
        {
        }

        public void OnClosed(Exception? reason) => first.OnClosed(reason);
    }
}
