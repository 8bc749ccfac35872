using System.Net.Sockets;

namespace LoopBridge.Transport.Tests.Drivers;

/// <summary>The end of a stream channel.</summary>
public sealed class ChannelCloseTests
{
    [Theory]
    [MemberData(nameof(DriverCases.WithAddresses), MemberType = typeof(DriverCases))]
    public void Close_Gracefully_PeerSeesTheEndAndOwnerOneClosed(LoopDriver which, string address)
    {
        using ChannelPair pair = ChannelPair.Connect(which, address);
        pair.Near.Close(reset: false);
        pair.Near.Close(reset: false);
        Assert.Equal(1, pair.Owner.Closed);
        Assert.Equal(0, pair.Far.Receive(new byte[1]));
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Close_WithReset_PeerSeesTheReset(LoopDriver which)
    {
        using ChannelPair pair = ChannelPair.Connect(which);
        pair.Near.Close(reset: true);
        SocketException e = Assert.Throws<SocketException>(() => pair.Far.Receive(new byte[1]));
        Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Close_EventAlreadyCollected_TellsNothingMore(LoopDriver which)
    {
        using ChannelPair pair = ChannelPair.Connect(which);
        pair.Far.Send((ReadOnlySpan<byte>)[1]);
        Assert.True(pair.Near.Socket!.Borrow().Poll(TimeSpan.FromSeconds(30), SelectMode.SelectRead));
        pair.Driver.Wait(TimeSpan.FromSeconds(30));
        pair.Near.Close(reset: false);
        pair.Driver.DispatchAll();
        Assert.Equal(0, pair.Owner.Receivable);
        Assert.Equal(0, pair.Owner.SendReady);
    }

    // The number belongs to somebody else by then: here, to the next connection.
    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Close_ThenUse_DoesNotTouchTheNumbersNextOwner(LoopDriver which)
    {
        using ChannelPair pair = ChannelPair.Connect(which);
        pair.Far.Send((ReadOnlySpan<byte>)[1]);
        pair.Driver.PumpUntil(() => pair.Owner.Receivable > 0, "something to receive");
        pair.Near.Close(reset: false);
        var others = new List<SocketPair>();
        for (int i = 0; i < 20; i++)
        {
            others.Add(SocketPair.Unix());
            others[i].Far.Send((ReadOnlySpan<byte>)[7]);
        }

        Assert.False(pair.Near.Receive(new byte[4]).IsOk);
        Assert.True(pair.Near.Send([new byte[] { 66 }]).IsError);
        Assert.True(pair.Near.TrySend([new byte[] { 66 }]).IsError);
        pair.Near.ShutdownSend();
        byte[] buffer = new byte[4];
        foreach (SocketPair other in others)
        {
            Assert.Equal(1, other.Near.Receive(buffer));
            Assert.False(other.Far.Poll(0, SelectMode.SelectRead));
            other.Dispose();
        }
    }
}
