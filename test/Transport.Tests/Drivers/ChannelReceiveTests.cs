using System.Net.Sockets;
using LoopBridge.Drivers;

namespace LoopBridge.Transport.Tests.Drivers;

/// <summary>The receiving half of a stream channel.</summary>
public sealed class ChannelReceiveTests
{
    [Theory]
    [MemberData(nameof(DriverCases.WithAddresses), MemberType = typeof(DriverCases))]
    public void Receive_ShortBuffer_TakesItPieceByPieceWithoutAnotherNotification(LoopDriver which, string address)
    {
        using ChannelPair pair = ChannelPair.Connect(which, address);
        pair.Far.Send((ReadOnlySpan<byte>)[1, 2, 3, 4, 5]);
        byte[] buffer = new byte[2];
        Assert.Equal(2, pair.Receive(buffer).Count);
        Assert.Equal(2, pair.Near.Receive(buffer).Count);
        Assert.Equal([3, 4], buffer);
        Assert.Equal(1, pair.Near.Receive(buffer).Count);
        Assert.True(pair.Near.Receive(buffer).IsPending);
        Assert.Equal(1, pair.Owner.Receivable);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Receive_AfterPending_IsToldOfTheNextBytes(LoopDriver which)
    {
        using ChannelPair pair = ChannelPair.Connect(which);
        byte[] buffer = new byte[16];
        for (byte round = 0; round < 5; round++)
        {
            Assert.True(pair.Near.Receive(buffer).IsPending);
            pair.Far.Send((ReadOnlySpan<byte>)[round]);
            Assert.Equal(1, pair.Receive(buffer).Count);
            Assert.Equal(round, buffer[0]);
        }
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithAddresses), MemberType = typeof(DriverCases))]
    public void Receive_PeerFinished_GivesTheDataThenZeroForEver(LoopDriver which, string address)
    {
        using ChannelPair pair = ChannelPair.Connect(which, address);
        pair.Far.Send((ReadOnlySpan<byte>)[1, 2]);
        pair.Far.Shutdown(SocketShutdown.Send);
        byte[] buffer = new byte[16];
        Assert.Equal(2, pair.Receive(buffer).Count);
        IoResult end = pair.Receive(buffer);
        Assert.True(end.IsOk);
        Assert.Equal(0, end.Count);
        IoResult again = pair.Near.Receive(buffer);
        Assert.True(again.IsOk);
        Assert.Equal(0, again.Count);
    }

    // The half-closed connection may go on sending for hours.
    [Theory]
    [MemberData(nameof(DriverCases.WithAddresses), MemberType = typeof(DriverCases))]
    public void Receive_EndOfStream_IsNotNotifiedAgain(LoopDriver which, string address)
    {
        using ChannelPair pair = ChannelPair.Connect(which, address);
        pair.Far.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, pair.Receive(new byte[16]).Count);
        int seen = pair.Owner.Receivable;
        Assert.Equal(0, pair.Driver.CountBusyWaits(5));
        Assert.Equal(seen, pair.Owner.Receivable);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Receive_PeerReset_IsAnError(LoopDriver which)
    {
        using ChannelPair pair = ChannelPair.Connect(which);
        pair.Far.LingerState = new LingerOption(true, 0);
        pair.Far.Dispose();
        Assert.Equal(SocketError.ConnectionReset, pair.Receive(new byte[16]).Error);
        Assert.Equal(0, pair.Driver.CountBusyWaits(5));
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Receive_NotCalled_DoesNotSpin(LoopDriver which)
    {
        using ChannelPair pair = ChannelPair.Connect(which);
        pair.Far.Send((ReadOnlySpan<byte>)[1]);
        pair.Driver.PumpUntil(() => pair.Owner.Receivable > 0, "the notification");
        Assert.Equal(0, pair.Driver.CountBusyWaits(10));
        Assert.Equal(1, pair.Near.Receive(new byte[16]).Count);
    }

    // tcp(7): a read stops at the urgent mark however much lies behind it, so this short read has not emptied the socket. Telnet clients
    // send such a mark.
    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Receive_UrgentMarkInTheMiddle_DeliversWhatLiesBehindIt(LoopDriver which)
    {
        using ChannelPair pair = ChannelPair.Connect(which);
        pair.Far.NoDelay = true;
        pair.Far.Send((ReadOnlySpan<byte>)[1, 2]);
        pair.Far.Send([9], SocketFlags.OutOfBand);
        pair.Far.Send((ReadOnlySpan<byte>)[3, 4]);
        byte[] buffer = new byte[64];
        var got = new List<byte>();
        while (got.Count < 4)
        {
            got.AddRange(buffer[..pair.Receive(buffer).Count]);
        }

        Assert.Equal([1, 2, 3, 4], got);
    }
}
