using LoopBridge.Protocols;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>Who waits for whom: pauses, backpressure, limits.</summary>
public sealed class TransportFlowTests : ProtocolTest
{
    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPC-19")]
    [Contract("R-CONN-05")]
    public async Task Pause_InConnectionMade_NothingUntilResume_NotEvenTheClose(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var protocol = new TestProtocol { OnMade = p => p.Transport.PauseProducing() };
        await using IListeningPort port = host.Listen(() => protocol);
        using (Peer peer = await Peer.ConnectAsync(port))
        {
            await peer.SendAsync("hello"u8.ToArray());
        }

        await protocol.Made.WithDeadline();
        for (int i = 0; i < 20; i++)
        {
            await host.On(() => { }); // turns in which data or loss would have come
        }

        Assert.Equal(["made"], protocol.Events);
        Assert.True(protocol.Transport.IsPaused);

        await host.On(() => protocol.Transport.ResumeProducing());
        Assert.IsType<ConnectionDoneException>(await protocol.Lost.WithDeadline());
        Assert.Equal(["made", "resumed", "data", "lost"], protocol.Events);
        Assert.Equal("hello"u8.ToArray(), protocol.Received);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CONN-01")]
    public async Task PauseAndResume_OverAndOver_NoByteLostOrSwapped(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        byte[] data = Pattern(2_000_000);
        var protocol = new TestProtocol
        {
            OnData = (p, _) =>
            {
                ITransport transport = p.Transport;
                transport.PauseProducing();
                transport.ResumeProducing();
                transport.PauseProducing();
                transport.Reactor.CallLater(TimeSpan.Zero, transport.ResumeProducing);
            },
        };
        await using IListeningPort port = host.Listen(() => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync(data);
        peer.FinishSending();

        await protocol.Lost.WithDeadline();
        AssertSameBytes(data, protocol.Received);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CONN-03")]
    public async Task Resume_WhileDisconnecting_DeliversNothing(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var protocol = new TestProtocol
        {
            OnMade = p =>
            {
                p.Transport.PauseProducing();
                p.Transport.Write(new byte[8_000_000]);
                p.Transport.LoseConnection();
                p.Transport.ResumeProducing();
            },
        };
        await using IListeningPort port = host.Listen(() => protocol);
        using Peer peer = await Peer.ConnectAsync(port, receiveBuffer: 64 * 1024);
        await peer.SendAsync("x"u8.ToArray());

        Assert.Equal(8_000_000, (await peer.ReadToEndAsync()).Length);
        await protocol.Lost.WithDeadline();
        Assert.Equal(["made", "lost"], protocol.Events);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CONN-27")]
    public async Task DataReceived_MuchToRead_AtMost64KiBAtATime(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var protocol = new TestProtocol { OnMade = p => p.Transport.PauseProducing() };
        await using IListeningPort port = host.Listen(() => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        byte[] data = Pattern(3_000_000);
        Task sending = peer.SendAsync(data);
        await protocol.Made.WithDeadline();
        await host.On(() => protocol.Transport.ResumeProducing());
        await sending;
        await protocol.WaitForBytes(data.Length).WithDeadline();

        Assert.InRange(protocol.LargestDelivery, 1, 64 * 1024);
        AssertSameBytes(data, protocol.Received);
    }

    [Theory, MemberData(nameof(Drivers))]
    public async Task DataReceived_MuchToRead_OthersHaveTheirTurn(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        int deliveries = 0;
        int most = 0;
        bool done = false;
        var protocol = new TestProtocol { OnMade = p => p.Transport.PauseProducing(), OnData = (_, _) => deliveries++ };
        await using IListeningPort port = host.Listen(() => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        Task sending = peer.SendAsync(Pattern(8_000_000));
        await protocol.Made.WithDeadline();
        void EachTurn()
        {
            most = Math.Max(most, deliveries);
            deliveries = 0;
            if (!done)
            {
                host.Loop.AddCallback(EachTurn);
            }
        }

        await host.On(() =>
        {
            EachTurn();
            protocol.Transport.ResumeProducing();
        });
        await protocol.WaitForBytes(8_000_000).WithDeadline();
        await sending;
        await host.On(() => done = true);

        Assert.InRange(most, 1, 8); // four by its own work, and four more if the socket reports in the same turn
    }

    [Fact]
    public void MaxUnsentBytes_NotPositive_Refused()
    {
        var options = new TransportOptions();

        Assert.Equal(16 * 1024 * 1024, options.MaxUnsentBytes);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.MaxUnsentBytes = 0);
    }

    [Theory, MemberData(nameof(Drivers))]
    public async Task Echo_PeerNeverReads_TransportStopsReceivingAndLosesNothing(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var paused = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var protocol = new TestProtocol
        {
            OnData = (p, data) =>
            {
                p.Transport.Write(data);
                if (p.Transport.IsPaused)
                {
                    paused.TrySetResult();
                }
            },
        };
        host.Options.MaxUnsentBytes = 256 * 1024; // far more than backpressure lets through
        await using IListeningPort port = host.Listen(() => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        byte[] data = Pattern(64 * 1024 * 1024);
        Task sending = peer.SendAsync(data);
        await paused.Task.WithDeadline();
        Assert.False(protocol.Lost.IsCompleted);

        byte[] received = await peer.ReadAsync(data.Length);

        await sending;
        AssertSameBytes(data, received);
        Assert.False(protocol.Lost.IsCompleted);
        Assert.Contains("resumed", protocol.Events);
    }

    [Theory, MemberData(nameof(Drivers))]
    public async Task Write_OthersFloodAPeerThatDoesNotRead_AbortedWithTheReason(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var protocol = new TestProtocol();
        host.Options.MaxUnsentBytes = 1_000_000;
        await using IListeningPort port = host.Listen(() => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();
        byte[] message = new byte[100_000];

        while (!protocol.Lost.IsCompleted)
        {
            await host.On(() =>
            {
                protocol.Transport.Write(message);
                protocol.Transport.Write(message);
            });
        }

        Exception reason = await protocol.Lost.WithDeadline();
        Assert.IsType<ConnectionAbortedLocallyException>(reason);
        Assert.Contains("1000000", reason.Message, StringComparison.Ordinal);
        Assert.Single(host.Log.Named("UnsentLimitExceeded"));
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-WSEQ-01")]
    [Contract("R-WSEQ-02")]
    public async Task WriteSequence_Pieces_InOrder_AndNothingOfABrokenOne(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        static IEnumerable<ReadOnlyMemory<byte>> Broken()
        {
            yield return "lost"u8.ToArray();
            throw new InvalidTimeZoneException();
        }

        var protocol = new TestProtocol
        {
            OnMade = p =>
            {
                ITransport transport = p.Transport;
                transport.WriteSequence(["one "u8.ToArray(), "two "u8.ToArray()]);
                transport.WriteSequence(new List<ReadOnlyMemory<byte>> { "three "u8.ToArray(), default, "four "u8.ToArray() });
                Assert.Throws<InvalidTimeZoneException>(() => transport.WriteSequence(Broken()));
                Assert.Throws<ArgumentNullException>(() => transport.WriteSequence(null!));
                transport.WriteSequence(new System.Buffers.ReadOnlySequence<byte>("five"u8.ToArray()));
                transport.LoseConnection();
            },
        };
        await using IListeningPort port = host.Listen(() => protocol);
        using Peer peer = await Peer.ConnectAsync(port);

        Assert.Equal("one two three four five"u8.ToArray(), await peer.ReadToEndAsync());
        Assert.Empty(host.Log.Errors);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CONN-21")]
    public async Task Writer_PausedAndPeerGone_LearnsItFromWriting(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var protocol = new TestProtocol { OnMade = p => p.Transport.PauseProducing() };
        await using IListeningPort port = host.Listen(() => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();
        peer.Dispose();

        while (!protocol.Lost.IsCompleted)
        {
            await host.On(() => protocol.Transport.Write("x"u8));
        }

        Assert.IsType<ConnectionLostException>(await protocol.Lost.WithDeadline());
    }

    [Fact]
    public async Task Echo_SteadyTraffic_AllocatesNothing()
    {
        using var host = new ReactorHost(LoopDriver.Auto);
        var protocol = new EchoProtocol();
        await using IListeningPort port = host.Listen(() => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        byte[] message = new byte[64];
        byte[] answer = new byte[64];
        const int Messages = 2000;
        void Exchange()
        {
            for (int i = 0; i < Messages; i++)
            {
                peer.Socket.Send(message);
                for (int read = 0; read < answer.Length;)
                {
                    read += peer.Socket.Receive(answer, read, answer.Length - read, System.Net.Sockets.SocketFlags.None);
                }
            }
        }

        Exchange();
        long least = long.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            long before = await host.On(GC.GetAllocatedBytesForCurrentThread);
            Exchange();
            least = Math.Min(least, await host.On(GC.GetAllocatedBytesForCurrentThread) - before);
        }

        Assert.True(least < Messages, $"{least} bytes were allocated for {Messages} messages."); // the measuring itself costs a few hundred
    }

    private sealed class EchoProtocol : Protocol
    {
        public override void DataReceived(ReadOnlySpan<byte> data) => Transport.Write(data);
    }
}
