using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Drivers;

/// <summary>The sending half of a stream channel.</summary>
public sealed class ChannelSendTests
{
    [Theory]
    [MemberData(nameof(DriverCases.WithAddresses), MemberType = typeof(DriverCases))]
    public void Send_SeveralBuffers_ArriveInOrder(LoopDriver which, string address)
    {
        using ChannelPair pair = ChannelPair.Connect(which, address);
        Assert.Equal(5, pair.Near.Send([new byte[] { 1, 2 }, ReadOnlyMemory<byte>.Empty, new byte[] { 3 }, new byte[] { 4, 5 }]).Count);
        Assert.Equal([1, 2, 3, 4, 5], ReceiveExactly(pair.Far, 5));
    }

    // More buffers than one gather takes, and more bytes than the kernel does.
    [Theory]
    [MemberData(nameof(DriverCases.WithAddresses), MemberType = typeof(DriverCases))]
    public async Task Send_MoreThanTheKernelTakes_GoesOnWhenReady(LoopDriver which, string address)
    {
        using ChannelPair pair = ChannelPair.Connect(which, address);
        var buffers = new ReadOnlyMemory<byte>[200];
        byte[] expected = new byte[buffers.Length * 100_000];
        new Random(1).NextBytes(expected);
        for (int i = 0; i < buffers.Length; i++)
        {
            buffers[i] = expected.AsMemory(i * 100_000, 100_000);
        }

        // The reader begins only when the sender has had to wait once.
        using var blocked = new ManualResetEventSlim();
        Task<byte[]> reading = Task.Run(() =>
        {
            Assert.True(blocked.Wait(Deadline.Default));
            return ReceiveExactly(pair.Far, expected.Length);
        }, TestContext.Current.CancellationToken);

        int done = 0;
        while (done < expected.Length)
        {
            IoResult result = pair.Near.Send(Rest(buffers, done));
            Assert.False(result.IsError, $"{result.Error}");
            done += result.Count;
            if (result.IsPending)
            {
                blocked.Set();
                int seen = pair.Owner.SendReady;
                pair.Driver.PumpUntil(() => pair.Owner.SendReady > seen, "room to send");
            }
        }

        Assert.True(blocked.IsSet);
        Assert.Equal(expected, await reading.WithDeadline());
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void TrySend_KernelFull_IsPendingAndArmsNothing(LoopDriver which)
    {
        using ChannelPair pair = ChannelPair.Connect(which);
        Assert.True(pair.Near.CanSendFromAnyThread);
        byte[] block = new byte[64 * 1024];
        long sent = 0;
        IoResult result;
        while (!(result = pair.Near.TrySend([block])).IsPending)
        {
            Assert.True(result.IsOk);
            sent += result.Count;
        }

        ReceiveExactly(pair.Far, sent);
        pair.Driver.CountBusyWaits(3);
        Assert.Equal(0, pair.Owner.SendReady);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Send_PeerReset_IsAnErrorAndNoSignal(LoopDriver which)
    {
        using ChannelPair pair = ChannelPair.Connect(which);
        pair.Far.LingerState = new LingerOption(true, 0);
        pair.Far.Dispose();
        Assert.True(pair.Receive(new byte[1]).IsError);
        Assert.Equal(SocketError.Shutdown, pair.Near.Send([new byte[] { 1 }]).Error);
        Assert.Equal(SocketError.Shutdown, pair.Near.Send([new byte[] { 1 }, new byte[] { 2 }]).Error);
        pair.Near.ShutdownSend();
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithAddresses), MemberType = typeof(DriverCases))]
    public void ShutdownSend_AfterData_EndsThatDirectionOnly(LoopDriver which, string address)
    {
        using ChannelPair pair = ChannelPair.Connect(which, address);
        Assert.Equal(1, pair.Near.Send([new byte[] { 1 }]).Count);
        pair.Near.ShutdownSend();
        Assert.Equal([1], ReceiveExactly(pair.Far, 1));
        Assert.Equal(0, pair.Far.Receive(new byte[1]));
        pair.Far.Send((ReadOnlySpan<byte>)[2]);
        Assert.Equal(1, pair.Receive(new byte[8]).Count);
    }

    private static ReadOnlySpan<ReadOnlyMemory<byte>> Rest(ReadOnlyMemory<byte>[] buffers, int done)
    {
        var rest = new List<ReadOnlyMemory<byte>>();
        foreach (ReadOnlyMemory<byte> buffer in buffers)
        {
            int skip = Math.Min(done, buffer.Length);
            done -= skip;
            if (skip < buffer.Length)
            {
                rest.Add(buffer[skip..]);
            }
        }

        return rest.ToArray();
    }

    private static byte[] ReceiveExactly(Socket socket, long count)
    {
        byte[] all = new byte[count];
        int have = 0;
        while (have < count)
        {
            int received = socket.Receive(all.AsSpan(have));
            Assert.NotEqual(0, received);
            have += received;
        }

        return all;
    }
}
