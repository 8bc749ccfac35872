using System.Buffers;
using LoopBridge.Manual;
using LoopBridge.Protocols;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Manual;

/// <summary>The transport that records, and whose peer is the test.</summary>
public sealed class MemoryTransportTests : IDisposable
{
    private readonly ManualReactor _reactor = new();
    private readonly RecordingProtocol _protocol = new();

    public void Dispose() => _reactor.Dispose();

    private MemoryTransport Connect(MemoryTransportOptions? options = null) => MemoryTransport.Connect(_protocol, _reactor, options);

    [Fact]
    public void Connect_MakesTheConnection()
    {
        MemoryTransport transport = Connect();

        Assert.Equal(["made"], _protocol.Events);
        Assert.Same(transport, _protocol.Transport);
        Assert.Same(_reactor, transport.Reactor);
        Assert.Same(_reactor.Loop, transport.Loop);
        Assert.Equal(("192.0.2.1:54321", "192.0.2.2:12345"), (transport.Host!.ToString(), transport.Peer!.ToString()));
        Assert.True(transport.IsConnected && !transport.IsDisconnecting && !transport.IsPaused);
        Assert.Throws<InvalidOperationException>(() => Connect());
        Assert.Throws<ArgumentOutOfRangeException>(
            () => MemoryTransport.Connect(new RecordingProtocol(), _reactor, new MemoryTransportOptions { HighWater = 0 }));
    }

    [Fact]
    public void Write_IsRecordedUntilThePeerTakesIt()
    {
        MemoryTransport transport = Connect();
        transport.Write("a"u8);
        transport.WriteSequence([new byte[] { (byte)'b' }, new byte[] { (byte)'c' }]);
        transport.WriteSequence(new ReadOnlySequence<byte>("d"u8.ToArray()));

        Assert.Equal("abcd", transport.Text);
        Assert.Equal("abcd"u8.ToArray(), transport.Bytes);
        Assert.Equal("abcd", transport.TakeText());
        Assert.Empty(transport.TakeBytes());
    }

    [Fact]
    public void PeerSends_TheProtocolReceivesAtOnceAndInOrder()
    {
        MemoryTransport transport = Connect();
        _protocol.OnData = text =>
        {
            if (text == "a")
            {
                transport.PeerSends("c"); // after what is being received
                transport.Write("answer"u8);
            }
        };

        transport.PeerSends("a");
        transport.PeerSends("b"u8);

        Assert.Equal("acb", _protocol.Received);
        Assert.Equal("answer", transport.Text);
    }

    [Fact, Contract("R-INV-03")]
    public void LoseConnection_IsToldInALaterTurnAndOnce()
    {
        MemoryTransport transport = Connect();
        transport.LoseConnection();
        transport.LoseConnection();
        transport.Write("last"u8); // also what is written until it has ended
        transport.PeerSends("too late");

        Assert.True(transport.IsDisconnecting && transport.IsConnected);
        Assert.Equal(["made"], _protocol.Events);
        _reactor.RunUntilIdle();

        Assert.Equal(["made", "lost"], _protocol.Events);
        Assert.IsType<ConnectionDoneException>(_protocol.Reason);
        Assert.False(transport.IsConnected || transport.IsAborted);
        Assert.Equal("last", transport.TakeText());
        transport.Write("gone"u8);
        Assert.Empty(transport.Bytes);
        Assert.Empty(_protocol.Received);
    }

    [Fact, Contract("R-INV-03")]
    public void AbortConnection_DropsWhatIsWrittenLaterAndIsToldInALaterTurn()
    {
        MemoryTransport transport = Connect();
        transport.LoseConnection();
        transport.AbortConnection();
        transport.AbortConnection();
        transport.Write("never"u8);

        Assert.True(transport.IsAborted && transport.IsDisconnecting && transport.IsConnected);
        _reactor.RunUntilIdle();

        Assert.Equal(["made", "lost"], _protocol.Events);
        Assert.IsType<ConnectionAbortedLocallyException>(_protocol.Reason);
        Assert.Same(_protocol.Reason, transport.LossReason);
        Assert.Empty(transport.Bytes);
    }

    [Fact]
    public void PeerResets_IsToldAtOnce()
    {
        MemoryTransport transport = Connect();
        transport.PeerResets();
        transport.PeerResets();

        Assert.Equal(["made", "lost"], _protocol.Events);
        Assert.IsType<ConnectionLostException>(_protocol.Reason);
        _reactor.RunUntilIdle();
        Assert.Equal(2, _protocol.Events.Count);
    }

    [Fact]
    public void PeerFinishes_EndsTheConnectionInOrder()
    {
        MemoryTransport transport = Connect();
        transport.PeerFinishes();
        transport.PeerFinishes();
        _reactor.RunUntilIdle();

        Assert.Equal(["made", "lost"], _protocol.Events);
        Assert.IsType<ConnectionDoneException>(_protocol.Reason);
        Assert.Throws<InvalidOperationException>(() => transport.PeerSends("more"));
    }

    [Fact]
    public void HalfClose_GoesOnInTheOtherDirectionUntilBothHaveEnded()
    {
        var protocol = new HalfCloseRecordingProtocol();
        MemoryTransport transport = MemoryTransport.Connect(protocol, _reactor);
        transport.PeerFinishes();
        Assert.Equal(["made", "read ended"], protocol.Events);

        transport.Write("still"u8);
        transport.LoseWriteConnection();
        transport.LoseWriteConnection();
        transport.Write(" here"u8);
        Assert.False(transport.IsWriteEnded);
        _reactor.RunUntilIdle();

        Assert.Equal(["made", "read ended", "write ended", "lost"], protocol.Events);
        Assert.Equal("still here", transport.Text);
        Assert.True(transport.IsWriteEnded);
    }

    [Fact]
    public void LoseConnection_AfterTheWriteEnd_IsToldWithinTheCall()
    {
        var protocol = new HalfCloseRecordingProtocol();
        MemoryTransport transport = MemoryTransport.Connect(protocol, _reactor);
        transport.LoseWriteConnection();
        _reactor.RunUntilIdle();
        transport.PeerSends("heard");
        transport.LoseConnection();

        Assert.Equal(["made", "write ended", "lost"], protocol.Events);
        Assert.Equal("heard", protocol.Received);
    }

    [Fact]
    public void Pause_HoldsWhatThePeerSendsUntilTheTurnAfterTheResume()
    {
        MemoryTransport transport = Connect(new MemoryTransportOptions { MaxHeldBytes = 3 });
        transport.PauseProducing();
        transport.PeerSends("abc");
        Assert.Throws<InvalidOperationException>(() => transport.PeerSends("d"));
        Assert.True(transport.IsPaused);

        transport.ResumeProducing();
        Assert.Empty(_protocol.Received);
        transport.PeerFinishes(); // after what is held
        _reactor.RunUntilIdle();

        Assert.Equal("abc", _protocol.Received);
        Assert.Equal(["made", "resumed", "lost"], _protocol.Events);
    }

    [Fact]
    public void FullTransport_DeliversNothingUntilThePeerTakes()
    {
        MemoryTransport transport = Connect(new MemoryTransportOptions { HighWater = 4 });
        transport.Write("12345"u8);
        transport.PeerSends("held");
        Assert.True(transport.IsPaused);
        Assert.Empty(_protocol.Received);

        Assert.Equal("12345", transport.TakeText());
        _reactor.RunUntilIdle();
        Assert.Equal("held", _protocol.Received);
    }

    [Fact]
    public void Write_BeyondTheLimit_AbortsTheConnection()
    {
        MemoryTransport transport = Connect(new MemoryTransportOptions { MaxUntakenBytes = 2 });
        transport.Write("one large write passes"u8);
        Assert.False(transport.IsAborted);
        transport.Write("."u8);

        Assert.True(transport.IsAborted);
        _reactor.RunUntilIdle();
        Assert.Contains("limit is 2", _protocol.Reason!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PushProducer_IsPausedWhenFullAndResumedWhenThePeerTakes()
    {
        MemoryTransport transport = Connect(new MemoryTransportOptions { HighWater = 4 });
        var producer = new PushProducer();
        transport.RegisterProducer(producer);
        Assert.Same(producer, transport.Producer);
        Assert.Throws<InvalidOperationException>(() => transport.RegisterProducer(new PushProducer()));

        transport.Write("1234"u8);
        Assert.Empty(producer.Calls);
        transport.Write("5"u8);
        Assert.True(transport.IsProducerPaused);
        transport.TakeBytes();
        Assert.Equal(["pause", "resume"], producer.Calls);

        // The end waits for the producer, which is stopped with the connection.
        transport.LoseConnection();
        _reactor.RunUntilIdle();
        Assert.True(transport.IsConnected);
        transport.UnregisterProducer();
        _reactor.RunUntilIdle();
        Assert.False(transport.IsConnected);
        transport.RegisterProducer(producer);
        Assert.Equal(["pause", "resume", "stop"], producer.Calls);
    }

    [Fact]
    public async Task FileSender_SendsAChunkEachTimeThatThePeerTakes()
    {
        MemoryTransport transport = Connect();
        byte[] file = new byte[FileSender.ChunkSize + 1];
        Task<byte?> sent = FileSender.SendAsync(new MemoryStream(file), transport);

        Assert.Equal(FileSender.ChunkSize, transport.TakeBytes().Length);
        Assert.Single(transport.TakeBytes());
        Assert.Equal((byte)0, await sent.WithDeadline());
        Assert.Null(transport.Producer);
    }

    [Fact]
    public void PeerResets_StopsTheProducerBeforeTheProtocolHears()
    {
        MemoryTransport transport = Connect();
        var producer = new PushProducer();
        transport.RegisterProducer(producer);
        transport.PeerResets(new ConnectionLostException("cut"));

        Assert.Equal(["stop"], producer.Calls);
        Assert.Equal("cut", _protocol.Reason!.Message);
    }

    [Fact]
    public void Exception_OfTheProtocol_IsTheTestsAndAborts()
    {
        MemoryTransport transport = Connect();
        var error = new FormatException();
        _protocol.OnData = _ => throw error;

        Assert.Same(error, Assert.Throws<FormatException>(() => transport.PeerSends("x")));
        Assert.True(transport.IsAborted);
        _reactor.RunUntilIdle();
        Assert.Same(error, _protocol.Reason);
    }

    [Fact]
    public void StartTls_IsRecorded()
    {
        MemoryTransport transport = Connect();
        var options = new System.Net.Security.SslServerAuthenticationOptions();
        transport.StartTls(options);

        Assert.Same(options, transport.ServerTls);
        Assert.True(transport.IsTls);
        Assert.Null(transport.ClientTls);
        Assert.Throws<InvalidOperationException>(() => transport.StartTls(options));
        Assert.Equal("RecordingProtocol,192.0.2.2:12345", transport.LogPrefix);
    }

    [Fact]
    public void MalformedInput_EndsTheConnectionInOrder()
    {
        MemoryTransport transport = Connect();
        _protocol.OnData = _ => throw new MalformedInputException("no such verb");

        transport.PeerSends("x");
        _reactor.RunUntilIdle();

        Assert.IsType<MalformedInputException>(_protocol.Reason);
        Assert.False(transport.IsAborted);
    }

    [Fact]
    public void LineReceiver_CutAnywhere_GivesTheSameLines()
    {
        var lines = new Lines();
        MemoryTransport transport = MemoryTransport.Connect(lines, _reactor);
        foreach (byte each in "one\r\ntwo\r\n"u8)
        {
            transport.PeerSends([each]);
        }

        Assert.Equal(["one", "two"], lines.Received);
        Assert.Equal("one\r\ntwo\r\n", transport.Text);
    }

    private sealed class Lines : LineReceiver
    {
        public List<string> Received { get; } = [];

        public override void LineReceived(ReadOnlySpan<byte> line)
        {
            Received.Add(System.Text.Encoding.UTF8.GetString(line));
            SendLine(line);
        }
    }

    private sealed class PushProducer : IPushProducer
    {
        public List<string> Calls { get; } = [];

        public void PauseProducing() => Calls.Add("pause");

        public void ResumeProducing() => Calls.Add("resume");

        public void StopProducing() => Calls.Add("stop");
    }
}
