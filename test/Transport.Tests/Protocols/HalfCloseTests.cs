using LoopBridge.Protocols;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>One direction ends before the other.</summary>
public sealed class HalfCloseTests : ProtocolContract
{
    [Theory, ReactorStacks]
    [Contract("R-CONN-22")]
    public async Task LoseWriteConnection_FlushesThenEndsThatDirection_AndReceivesOn(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new HalfClosing();
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();
        byte[] data = Pattern(3_000_000);

        await thread.Do(() =>
        {
            protocol.Transport.Write(data);
            protocol.Transport.LoseWriteConnection();
            protocol.Transport.LoseWriteConnection();
            protocol.Transport.Write("tail"u8);
        });
        AssertSameBytes([.. data, .. "tail"u8], await peer.ReadToEndAsync());
        await protocol.WriteEnded.WithDeadline();
        await thread.Do(() => protocol.Transport.Write("never"u8));
        await peer.SendAsync("still"u8.ToArray());
        await protocol.WaitForBytes(5).WithDeadline();
        peer.Dispose();

        Assert.IsType<ConnectionDoneException>(await protocol.Lost.WithDeadline());
        Assert.Equal(["made", "write ended", "data", "read ended", "lost"], protocol.Events.Where(e => e != "resumed"));
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-22")]
    public async Task PeerFinishes_ReadConnectionLostOnce_AndWritingGoesOn(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new HalfClosing();
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        peer.FinishSending();
        await protocol.ReadEnded.WithDeadline();
        await thread.Do(() =>
        {
            protocol.Transport.PauseProducing();
            protocol.Transport.ResumeProducing();
        });

        await thread.Do(() => protocol.Transport.Write("hello"u8));
        Assert.Equal("hello"u8.ToArray(), await peer.ReadAsync(5));
        Assert.False(protocol.Lost.IsCompleted);
        await thread.Do(() => protocol.Transport.LoseConnection());

        Assert.IsType<ConnectionDoneException>(await protocol.Lost.WithDeadline());
        Assert.Equal(["made", "read ended", "lost"], protocol.Events.Where(e => e != "resumed"));
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-06")]
    public async Task PeerCloses_ThenLoseWriteThenLose_OneLoss(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new HalfClosing
        {
            OnReadEnded = p => p.Transport.LoseWriteConnection(),
            OnWriteEnded = p => p.Transport.LoseConnection(),
        };
        await using IListeningPort port = Listen(thread, () => protocol);
        using (Peer peer = await Peer.ConnectAsync(port))
        {
            await protocol.Made.WithDeadline();
        }

        Assert.IsType<ConnectionDoneException>(await protocol.Lost.WithDeadline());
        await thread.Turn();
        Assert.Equal(["made", "read ended", "write ended", "lost"], protocol.Events);
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-19")]
    public async Task LoseConnection_WriteSideShut_LossWithinTheCall(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new HalfClosing();
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();
        await thread.Do(() => protocol.Transport.LoseWriteConnection());
        await protocol.WriteEnded.WithDeadline();

        bool lostInside = await thread.Ask(() =>
        {
            protocol.Transport.LoseConnection();
            return protocol.Lost.IsCompleted;
        });

        Assert.True(lostInside);
        Assert.IsType<ConnectionDoneException>(await protocol.Lost);
        await thread.Turn();
        Assert.Equal(["made", "write ended", "lost"], protocol.Events);
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-23")]
    public async Task LoseWriteConnection_PlainProtocol_NoNotification_PeerResetFirst_NoError(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new TestProtocol { OnMade = p => p.Transport.PauseProducing() };
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();
        await peer.SendAsync("unread"u8.ToArray());
        peer.Reset();

        await thread.Do(() => protocol.Transport.LoseWriteConnection());
        await thread.Turn();
        await thread.Do(() => protocol.Transport.LoseConnection());

        await protocol.Lost.WithDeadline();
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-24")]
    public async Task ReadConnectionLost_Throws_LoggedOnceAndTheReason(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var bug = new InvalidTimeZoneException("bug");
        var protocol = new HalfClosing { OnReadEnded = _ => throw bug };
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();
        peer.FinishSending();

        Assert.Same(bug, await protocol.Lost.WithDeadline());
        Assert.Same(bug, Assert.Single(TakeErrors()));
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-24")]
    public async Task WriteConnectionLost_Throws_LoggedOnceAndTheReason(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var bug = new InvalidTimeZoneException("bug");
        var protocol = new HalfClosing { OnWriteEnded = _ => throw bug };
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();
        await thread.Do(() => protocol.Transport.LoseWriteConnection());

        Assert.Same(bug, await protocol.Lost.WithDeadline());
        Assert.Same(bug, Assert.Single(TakeErrors()));
    }

    private sealed class HalfClosing : TestProtocol, IHalfCloseProtocol
    {
        private readonly TaskCompletionSource _readEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _writeEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Action<HalfClosing>? OnReadEnded { get; init; }

        internal Action<HalfClosing>? OnWriteEnded { get; init; }

        internal Task ReadEnded => _readEnded.Task;

        internal Task WriteEnded => _writeEnded.Task;

        public void ReadConnectionLost()
        {
            Events.Enqueue("read ended");
            _readEnded.SetResult();
            OnReadEnded?.Invoke(this);
        }

        public void WriteConnectionLost()
        {
            Events.Enqueue("write ended");
            _writeEnded.SetResult();
            OnWriteEnded?.Invoke(this);
        }
    }
}
