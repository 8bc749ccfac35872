using LoopBridge.Protocols;
using LoopBridge.Reactors;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>Who waits for whom: pauses, backpressure, limits.</summary>
public sealed class TransportFlowTests : ProtocolContract
{
    [Theory, ReactorStacks]
    [Contract("R-TCPC-19"), Contract("R-CONN-05")]
    public async Task Pause_InConnectionMade_NothingUntilResume_NotEvenTheClose(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new TestProtocol { OnMade = p => p.Transport.PauseProducing() };
        await using IListeningPort port = Listen(thread, () => protocol);
        using (Peer peer = await Peer.ConnectAsync(port))
        {
            await peer.SendAsync("hello"u8.ToArray());
        }

        await protocol.Made.WithDeadline();
        for (int i = 0; i < 20; i++)
        {
            await thread.Turn(); // turns in which data or loss would have come
        }

        Assert.Equal(["made"], protocol.Events);
        Assert.True(protocol.Transport.IsPaused);

        await thread.Do(() => protocol.Transport.ResumeProducing());
        Assert.IsType<ConnectionDoneException>(await protocol.Lost.WithDeadline());
        Assert.Equal(["made", "resumed", "data", "lost"], protocol.Events);
        Assert.Equal("hello"u8.ToArray(), protocol.Received);
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-01")]
    public async Task PauseAndResume_OverAndOver_NoByteLostOrSwapped(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
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
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync(data);
        peer.FinishSending();

        await protocol.Lost.WithDeadline();
        AssertSameBytes(data, protocol.Received);
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-03")]
    public async Task Resume_WhileDisconnecting_DeliversNothing(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
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
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port, receiveBuffer: 64 * 1024);
        await peer.SendAsync("x"u8.ToArray());

        Assert.Equal(8_000_000, (await peer.ReadToEndAsync()).Length);
        await protocol.Lost.WithDeadline();
        Assert.Equal(["made", "lost"], protocol.Events);
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-27")]
    public async Task DataReceived_MuchToRead_AtMost64KiBAtATime(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new TestProtocol { OnMade = p => p.Transport.PauseProducing() };
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        byte[] data = Pattern(3_000_000);
        Task sending = peer.SendAsync(data);
        await protocol.Made.WithDeadline();
        await thread.Do(() => protocol.Transport.ResumeProducing());
        await sending;
        await protocol.WaitForBytes(data.Length).WithDeadline();

        Assert.InRange(protocol.LargestDelivery, 1, 64 * 1024);
        AssertSameBytes(data, protocol.Received);
    }

    [Theory, ReactorStacks]
    public async Task DataReceived_MuchToRead_OthersHaveTheirTurn(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        int deliveries = 0;
        int most = 0;
        bool done = false;
        var protocol = new TestProtocol { OnMade = p => p.Transport.PauseProducing(), OnData = (_, _) => deliveries++ };
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        Task sending = peer.SendAsync(Pattern(8_000_000));
        await protocol.Made.WithDeadline();
        void EachTurn()
        {
            most = Math.Max(most, deliveries);
            deliveries = 0;
            if (!done)
            {
                thread.Reactor.CallFromThread(EachTurn);
            }
        }

        await thread.Do(() =>
        {
            EachTurn();
            protocol.Transport.ResumeProducing();
        });
        await protocol.WaitForBytes(8_000_000).WithDeadline();
        await sending;
        await thread.Do(() => done = true);

        Assert.InRange(most, 1, 8); // four by its own work, and four more if the socket reports in the same turn
    }

    [Fact]
    public void MaxUnsentBytes_NotPositive_Refused()
    {
        var options = new TransportOptions();

        Assert.Equal(16 * 1024 * 1024, options.MaxUnsentBytes);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.MaxUnsentBytes = 0);
    }

    [Theory, ReactorStacks]
    public async Task Echo_PeerNeverReads_TransportStopsReceivingAndLosesNothing(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
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
        Options.MaxUnsentBytes = 256 * 1024; // far more than backpressure lets through
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        byte[] data = Pattern(24 * 1024 * 1024); // more than the kernel keeps for both sides
        Task sending = peer.SendAsync(data);
        await paused.Task.WithDeadline();
        Assert.False(protocol.Lost.IsCompleted);

        byte[] received = await peer.ReadAsync(data.Length);

        await sending;
        AssertSameBytes(data, received);
        Assert.False(protocol.Lost.IsCompleted);
        Assert.Contains("resumed", protocol.Events);
    }

    [Theory, ReactorStacks]
    public async Task Write_OthersFloodAPeerThatDoesNotRead_AbortedWithTheReason(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new TestProtocol();
        Options.MaxUnsentBytes = 1_000_000;
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();
        byte[] message = new byte[100_000];

        while (!protocol.Lost.IsCompleted)
        {
            await thread.Do(() =>
            {
                protocol.Transport.Write(message);
                protocol.Transport.Write(message);
            });
        }

        Exception reason = await protocol.Lost.WithDeadline();
        Assert.IsType<ConnectionAbortedLocallyException>(reason);
        Assert.Contains("1000000", reason.Message, StringComparison.Ordinal);
        Assert.Equal("UnsentLimitExceeded", Log.TakeSingle(LogLevel.Warning).Id.Name);
    }

    [Theory, ReactorStacks]
    [Contract("R-WSEQ-01"), Contract("R-WSEQ-02")]
    public async Task WriteSequence_Pieces_InOrder_AndNothingOfABrokenOne(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
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
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);

        Assert.Equal("one two three four five"u8.ToArray(), await peer.ReadToEndAsync());
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-21")]
    public async Task Writer_PausedAndPeerGone_LearnsItFromWriting(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new TestProtocol { OnMade = p => p.Transport.PauseProducing() };
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();
        peer.Dispose();

        while (!protocol.Lost.IsCompleted)
        {
            await thread.Do(() => protocol.Transport.Write("x"u8));
        }

        Assert.IsType<ConnectionLostException>(await protocol.Lost.WithDeadline());
    }

    [Theory, ReactorStacks]
    public async Task Echo_SteadyTraffic_AllocatesNothing(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new EchoProtocol();
        await using IListeningPort port = Listen(thread, () => protocol);
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
            long before = await thread.Ask(GC.GetAllocatedBytesForCurrentThread);
            Exchange();
            least = Math.Min(least, await thread.Ask(GC.GetAllocatedBytesForCurrentThread) - before);
        }

        Assert.True(least < Messages, $"{least} bytes were allocated for {Messages} messages."); // the measuring itself costs a few hundred
    }

    private sealed class EchoProtocol : Protocol
    {
        public override void DataReceived(ReadOnlySpan<byte> data) => Transport.Write(data);
    }
}
