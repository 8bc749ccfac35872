using System.Net;
using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Protocols;
using LoopBridge.Reactors;
using LoopBridge.Sockets;

namespace LoopBridge.Manual;

/// <summary>
/// A transport that goes nowhere, for the test of one protocol: it records what the protocol writes, and the test plays the peer. Descends
/// from Twisted's <c>StringTransport</c>.
/// </summary>
/// <remarks>
/// <para><b>The protocol's side</b> is <see cref="ITransport"/>, with the rules of a real one: the loss is told in a later turn and never
/// from inside a method that the protocol called, an orderly end waits for the producer, half close works, and a producer is paused and
/// resumed.</para>
/// <para><b>The peer's side</b> are the members that begin with <c>Peer</c>, and <see cref="TakeBytes"/> and <see cref="TakeText"/>. They
/// call the protocol at once. What escapes a callback of the protocol aborts the connection, as ever, and is thrown to the test:
/// there, or by the turn that ran the callback.</para>
/// <para>Nothing is lost on the way and nothing takes time: what was written before an orderly end counts as sent. To see two protocols
/// talk to each other over something like a network, use <see cref="MemoryProtocolExtensions.ConnectProtocols"/>.</para>
/// <para><c>StartTls</c> is recorded and nothing is encrypted: what the protocol writes can be read before and after it.</para>
/// <para>Belongs to the thread of its reactor, which is usually a <see cref="ManualReactor"/>.</para>
/// </remarks>
/// <example>
/// <code>
/// using var reactor = new ManualReactor();
/// MemoryTransport transport = MemoryTransport.Connect(new EchoProtocol(), reactor);
/// transport.PeerSends("hello");
/// Assert.Equal("hello", transport.TakeText());
/// </code>
/// </example>
public sealed partial class MemoryTransport : ITransport
{
    private readonly ExecutionContext? _ambient = ExecutionContext.Capture();
    private readonly MemoryTransportOptions _options;
    private Protocol? _protocol;
    private bool _isLossPosted;

    private MemoryTransport(Protocol protocol, IReactor reactor, MemoryTransportOptions options)
    {
        _protocol = protocol;
        _options = options;
        Reactor = reactor;
        Loop = reactor.GetLoop();
        LogPrefix = ReactorTransport.MakeLogPrefix(protocol, options.Peer);
    }

    /// <inheritdoc />
    public string ConnectionId { get; } = ConnectionIds.Next();

    /// <inheritdoc />
    public EndPoint? Host => _options.Host;

    /// <inheritdoc />
    public EndPoint? Peer => _options.Peer;

    /// <inheritdoc />
    public IEventLoop Loop { get; }

    /// <inheritdoc />
    public IReactor Reactor { get; }

    /// <inheritdoc />
    public string LogPrefix { get; }

    /// <summary>Whether the protocol has not been told yet of the loss.</summary>
    public bool IsConnected => _protocol is not null;

    /// <inheritdoc />
    public bool IsDisconnecting { get; private set; }

    /// <summary>Whether the connection was aborted on this side: by the protocol, by what escaped it, or by a limit.</summary>
    public bool IsAborted { get; private set; }

    /// <summary>Whether the protocol has ended its sending direction: a peer would see the end after what was written.</summary>
    public bool IsWriteEnded { get; private set; }

    /// <summary>What the protocol was told, or is told in a later turn, as the reason of the loss; null before.</summary>
    public Exception? LossReason { get; private set; }

    /// <summary>What the protocol has set; nothing depends on it here.</summary>
    public bool NoDelay { get; set; }

    /// <summary>What the protocol has set; nothing depends on it here.</summary>
    public bool KeepAlive { get; set; }

    /// <summary>Connects a protocol, whose <see cref="Protocol.ConnectionMade"/> has returned when this does.</summary>
    /// <param name="protocol">A new one.</param>
    /// <param name="reactor">Where it lives. The caller is on its thread.</param>
    /// <param name="options">Defaults to the options' defaults.</param>
    /// <returns>Its transport.</returns>
    /// <exception cref="InvalidOperationException">
    /// The protocol has had a connection before, or this is not the reactor's thread.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">A limit of less than one byte.</exception>
    public static MemoryTransport Connect(Protocol protocol, IReactor reactor, MemoryTransportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(protocol);
        ArgumentNullException.ThrowIfNull(reactor);
        protocol.ThrowIfUsed();
        options ??= new MemoryTransportOptions();
        options.Validate();
        var transport = new MemoryTransport(protocol, reactor, options);
        transport.ThrowIfOffLoop();
        transport.Call(() => protocol.MakeConnection(transport));
        return transport;
    }

    /// <inheritdoc />
    public void LoseConnection()
    {
        ThrowIfOffLoop();
        if (IsDisconnecting)
        {
            return;
        }

        bool tellsNow = IsWriteEnded; // R-CONN-19: nothing is left to be sent
        BeginEnd(new ConnectionDoneException());
        if (tellsNow)
        {
            TellLoss();
        }
        else
        {
            EndWhenProducerIsDone();
        }
    }

    /// <inheritdoc />
    public void LoseWriteConnection()
    {
        ThrowIfOffLoop();
        if (!IsDisconnecting && !_isWriteEnding)
        {
            _isWriteEnding = true;
            EndWhenProducerIsDone();
        }
    }

    /// <inheritdoc />
    public void AbortConnection()
    {
        ThrowIfOffLoop();
        Abort(new ConnectionAbortedLocallyException());
    }

    private void Abort(Exception reason)
    {
        if (!IsConnected || IsAborted)
        {
            return;
        }

        IsAborted = true;
        BeginEnd(reason);
        LossReason = reason; // also of an end that was in order so far
        PostLoss();
    }

    private void BeginEnd(Exception reason)
    {
        IsDisconnecting = true;
        LossReason ??= reason;
        _held.Clear();
    }

    // An orderly end of the connection, or of the sending direction, waits for the producer's last word (R-PROD-06).
    private void EndWhenProducerIsDone()
    {
        if (Producer is not null)
        {
            return;
        }

        if (IsDisconnecting)
        {
            PostLoss();
        }
        else if (_isWriteEnding && !IsWriteEnded)
        {
            Loop.AddCallback(EndWriting);
        }
    }

    // In a later turn, as on a socket, where the flush comes first.
    private void EndWriting()
    {
        if (IsDisconnecting || IsWriteEnded)
        {
            return;
        }

        IsWriteEnded = true;
        if (_protocol is IHalfCloseProtocol halfClose)
        {
            Call(halfClose.WriteConnectionLost);
        }

        EndWithBothDirections();
    }

    private void EndWithBothDirections()
    {
        if (_isReadEnded && IsWriteEnded && !IsDisconnecting)
        {
            BeginEnd(new ConnectionDoneException());
            PostLoss();
        }
    }

    private void PostLoss()
    {
        if (!_isLossPosted)
        {
            _isLossPosted = true;
            Loop.AddCallback(TellLoss);
        }
    }

    private void TellLoss()
    {
        if (_protocol is not { } protocol)
        {
            return;
        }

        _protocol = null;
        IProducer? producer = Producer;
        Producer = null;
        var call = new ProtocolCall(Loop, _ambient);
        try
        {
            producer?.StopProducing();
        }
        catch (Exception e)
        {
            Loop.ReportException(e, producer); // user code; the protocol hears of the loss all the same (R-PROD-07)
        }

        try
        {
            protocol.EndConnection(LossReason!);
        }
        finally
        {
            call.Leave();
        }
    }

    /// <summary>Calls the protocol under its context. What escapes aborts the connection, and is the test's.</summary>
    private void Call(Action callback)
    {
        var call = new ProtocolCall(Loop, _ambient);
        try
        {
            callback();
        }
        catch (MalformedInputException e)
        {
            // The protocol's way to say that the peer is at fault: the end is in order, and no failure of the test.
            LossReason = e;
            BeginEnd(e);
            EndWhenProducerIsDone();
        }
        catch (Exception e)
        {
            Abort(e);
            throw;
        }
        finally
        {
            call.Leave();
        }
    }

    private void ThrowIfOffLoop()
    {
        if (!Loop.IsOnLoopThread)
        {
            throw new InvalidOperationException(
                "A transport belongs to the thread of its loop. On other threads use transport.Reactor.CallFromThread(() => ...).");
        }
    }
}
