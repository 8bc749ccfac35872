using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Manual;
using LoopBridge.Transport.Tests.Drivers;

namespace LoopBridge.Transport.Tests.Manual;

/// <summary>The ends of a connection in memory as the engine meets them.</summary>
public sealed class MemoryChannelTests
{
    [Fact]
    public void ShutdownSend_EndsOneDirectionOnly()
    {
        using var loop = new ManualLoop();
        (End first, End second) = Open(loop);
        first.Channel.Send([new byte[3]]);
        first.Channel.ShutdownSend();
        loop.RunTurn();
        Assert.Equal(1, second.Owner.Receivable);
        Assert.Equal(3, second.Channel.Receive(new byte[10]).Count);
        Assert.True(second.Channel.Receive(new byte[10]) is { IsOk: true, Count: 0 });
        Assert.True(second.Channel.Send([new byte[5]]).IsOk);
        loop.RunTurn();
        Assert.Equal(5, first.Channel.Receive(new byte[10]).Count);
        Assert.True(first.Channel.Receive(new byte[10]).IsPending);
    }

    [Fact]
    public void Receive_ToldOnceUntilItReceivedToPending()
    {
        using var loop = new ManualLoop();
        (End first, End second) = Open(loop);
        first.Channel.Send([new byte[1]]);
        loop.RunTurn();
        first.Channel.Send([new byte[1]]);
        loop.RunTurn();
        Assert.Equal(1, second.Owner.Receivable);
        Assert.Equal(2, second.Channel.Receive(new byte[10]).Count);
        Assert.True(second.Channel.Receive(new byte[10]).IsPending);
        first.Channel.Send([new byte[1]]);
        loop.RunTurn();
        Assert.Equal(2, second.Owner.Receivable);
    }

    [Fact]
    public void Send_Full_IsPendingUntilTheOtherReceives()
    {
        using var loop = new ManualLoop();
        (End first, End second) = Open(loop, capacity: 4);
        Assert.Equal(4, first.Channel.Send([new byte[3], new byte[3]]).Count);
        Assert.True(first.Channel.Send([new byte[2]]).IsPending);
        loop.RunTurn();
        Assert.Equal(0, first.Owner.SendReady);
        Assert.Equal(1, second.Channel.Receive(new byte[1]).Count);
        Assert.Equal(0, first.Owner.SendReady);
        loop.RunTurn();
        Assert.Equal(1, first.Owner.SendReady);
        Assert.Equal(1, first.Channel.Send([new byte[2]]).Count);
    }

    [Fact]
    public void Close_Reset_FailsReceiveAfterWhatArrived_AndSendAtOnce()
    {
        using var loop = new ManualLoop();
        (End first, End second) = Open(loop);
        first.Channel.Send([new byte[2]]);
        loop.RunTurn();
        first.Channel.Send([new byte[2]]);
        first.Channel.Close(reset: true);
        first.Channel.Close(reset: true);
        Assert.Equal(1, first.Owner.Closed);
        Assert.Equal(SocketError.ConnectionReset, second.Channel.Send([new byte[1]]).Error);
        loop.RunTurn();
        Assert.Equal(2, second.Channel.Receive(new byte[10]).Count);
        Assert.Equal(SocketError.ConnectionReset, second.Channel.Receive(new byte[10]).Error);
        second.Channel.Close(reset: false);
        Assert.Equal(1, second.Owner.Closed);
        Assert.Equal(SocketError.OperationAborted, second.Channel.Receive(new byte[10]).Error);
        loop.RunUntilIdle();
    }

    [Fact]
    public void Close_Orderly_TheOtherMayNotSendAnyMore()
    {
        using var loop = new ManualLoop();
        (End first, End second) = Open(loop, capacity: 1);
        second.Channel.Send([new byte[1]]);
        Assert.True(second.Channel.Send([new byte[1]]).IsPending);
        first.Channel.Close(reset: false);
        loop.RunTurn();
        Assert.Equal(1, second.Owner.SendReady);
        Assert.Equal(SocketError.Shutdown, second.Channel.Send([new byte[1]]).Error);
        Assert.True(second.Channel.Receive(new byte[1]) is { IsOk: true, Count: 0 });
    }

    private static (End First, End Second) Open(ManualLoop loop, int capacity = 100)
    {
        var there = new MemoryPipe(loop, capacity, []);
        var back = new MemoryPipe(loop, capacity, []);
        return (End.Start(new MemoryChannel(back, there, null, null)), End.Start(new MemoryChannel(there, back, null, null)));
    }

    private sealed record End(IStreamChannel Channel, RecordingOwner Owner)
    {
        internal static End Start(MemoryChannel channel)
        {
            var owner = new RecordingOwner();
            channel.Start(owner);
            return new End(channel, owner);
        }
    }
}
