using System.Buffers;
using System.Net;
using LoopBridge.Bridge;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using LoopBridge.Sockets;

namespace LoopBridge.Protocols;

/// <summary>
/// The reactor's face of the socket engine: gives a stream's events to a protocol as callbacks. How a connection begins and ends is here;
/// the bytes are in <c>ReactorTransport.Receive.cs</c> and <c>ReactorTransport.Send.cs</c>.
/// </summary>
/// <remarks>
/// The end of a connection has one road: whatever happens closes the socket, the socket reports it to <see cref="ISocketSink.OnClosed"/>,
/// and the protocol hears of it in a later turn. So it is never told from inside a method that it called itself (R-INV-03), and always
/// after the socket is closed (R-CONN-28).
/// </remarks>
internal sealed partial class ReactorTransport : ISocketSink, ITransport, IServedDescriptor, ILoopWork, IOnBehalf
{
    private readonly TransportOptions _options;
    private readonly string _protocolName;
    private readonly ExecutionContext? _ambient;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private StreamSocket _socket;
    private Protocol? _protocol;
    private IReactor? _reactor;
    private string? _connectionId;
    private Exception? _reason;
    private bool _begun;
    private bool _disconnecting;
    private bool _dropsWrites;
    private bool _closed;
    private bool _closesInCall;

    /// <param name="socket">The stream; the transport has to be or become its sink.</param>
    /// <param name="protocol">A new one.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="connectionId">Null for one of our own.</param>
    /// <param name="reactor">Whose it is. Null for the loop's.</param>
    internal ReactorTransport(
        StreamSocket socket,
        Protocol protocol,
        TransportOptions? options = null,
        string? connectionId = null,
        IReactor? reactor = null)
    {
        protocol.ThrowIfUsed(); // here, where it is nobody's connection yet that fails for it

        _socket = socket;
        _protocol = protocol;
        _protocolName = protocol.GetType().Name;
        _options = options ?? TransportOptions.Default;
        _connectionId = connectionId;
        _reactor = reactor;
        _ambient = CaptureAmbient(protocol);
    }

    public string ConnectionId => _connectionId ??= ConnectionIds.Next();

    public EndPoint? Host => _socket.LocalEndPoint;

    public EndPoint? Peer => _socket.RemoteEndPoint;

    object IOnBehalf.Behalf => (object?)_protocol ?? _protocolName;

    string IOnBehalf.Label => ConnectionId;

    public IEventLoop Loop => _socket.Loop;

    public IReactor Reactor => _reactor ??= Loop.GetReactor();

    public bool IsDisconnecting => _disconnecting;

    // Addresses are the numbers of the time of the connection: this never fails (R-TCPP-27).
    public override string ToString() => $"{_protocolName} {ConnectionId} on {Host} for {Peer}";

    /// <summary>Ends when the protocol's last callback has returned. Never fails.</summary>
    internal Task Completion => _completion.Task;

    /// <summary>Told of the loss after the protocol, with the same reason (R-TCPC-17). Set before <see cref="Begin"/>.</summary>
    internal Action<Exception>? Lost { get; set; }

    /// <summary>
    /// Makes the connection and delivers what somebody else received of it before; then receives on. Once. Loop thread.
    /// </summary>
    internal void Begin(in ReadOnlySequence<byte> alreadyReceived)
    {
        if (_closed)
        {
            return; // nobody was told of it yet, and nobody will be
        }

        _begun = true;
        EnterBooks();
        _options.Logger?.ProtocolConnected(ConnectionId, _protocolName, Peer);
        var call = new ProtocolCall(Loop, _ambient);
        try
        {
            _protocol!.MakeConnection(this);
        }
        catch (Exception e)
        {
            Fail(e, nameof(Protocol.ConnectionMade)); // user code
        }
        finally
        {
            call.Leave();
        }

        DeliverFirst(alreadyReceived);
        Proceed();
    }

    /// <summary>Nobody wants the connection: the peer sees an orderly close, or a reset after a failure. Once it has begun.</summary>
    internal void Refuse(Exception? failure)
    {
        if (failure is null)
        {
            LoseConnection();
        }
        else if (!_socket.IsClosing)
        {
            Abort(failure);
        }
    }

    public void LoseConnection()
    {
        if (!_disconnecting)
        {
            ThrowIfOffLoop();
            if (_writeEnded)
            {
                CloseInCall();
            }
            else
            {
                EndInOrder();
            }
        }
    }

    public void AbortConnection()
    {
        if (!_socket.IsClosing)
        {
            ThrowIfOffLoop();
            Abort(new ConnectionAbortedLocallyException());
        }
        else if (!_closed && _tls is not null)
        {
            // An orderly close of TLS waits for the peer to take the last bytes, however long.
            ThrowIfOffLoop();
            _reason = new ConnectionAbortedLocallyException();
            _tls.Abort();
        }
    }

    void ISocketSink.OnClosed(Exception? reason)
    {
        _closed = true;
        _disconnecting = true;
        _dropsWrites = true;
        _held = default;
        _reason ??= LossReason.From(reason);
        if (!_begun)
        {
            _protocol = null;
            _completion.TrySetResult();
        }
        else if (_closesInCall || !Loop.Post(this))
        {
            TellLoss(); // or the loop is closed: there is no later turn
        }
    }

    /// <summary>The turn after the close.</summary>
    void ILoopWork.Run() => TellLoss();

    private void TellLoss()
    {
        if (_protocol is not { } protocol)
        {
            return;
        }

        LeaveBooks();
        _protocol = null; // nothing of ours refers to it from here on (R-TCPC-23)
        _options.Logger?.ProtocolDisconnected(ConnectionId, _protocolName, _reason!.Message);
        var call = new ProtocolCall(Loop, _ambient);
        try
        {
            StopProducer();
            protocol.EndConnection(_reason!);
        }
        catch (Exception e)
        {
            Report(e, nameof(Protocol.ConnectionLost)); // user code; there is nothing left to close
        }
        finally
        {
            call.Leave();
        }

        Action<Exception>? lost = Lost;
        Lost = null;
        lost?.Invoke(_reason!);

        _completion.TrySetResult();
    }

    // Sends what there is, and what is still written meanwhile; OnSendFinished goes on. A producer has its last word first (R-PROD-06).
    private void EndInOrder()
    {
        _disconnecting = true;
        _held = default;
        if (_writeEnded)
        {
            CloseDone();
        }
        else if (!_dropsWrites && _producer is null)
        {
            _socket.FinishSending();
        }
    }

    // R-CONN-19: nothing is left to be sent, and the protocol hears of the loss within this call.
    private void CloseInCall()
    {
        _disconnecting = true;
        _held = default;
        _closesInCall = true;
        CloseDone();
    }

    private void CloseDone()
    {
        _reason ??= LossReason.From(null);
        DiscardReceived();
        _socket.Close(null, reset: false);
    }

    private void Abort(Exception reason)
    {
        _reason = reason;
        _disconnecting = true;
        _dropsWrites = true;
        _held = default;
        _socket.Close(reason, reset: true);
    }

    // The exception becomes the reason, also where the protocol had aborted before it threw (R-CONN-12). A failure of ours is no complete
    // answer: the peer sees a reset.
    private void Fail(Exception exception, string callback)
    {
        if (exception is MalformedInputException)
        {
            _options.Logger?.MalformedInput(ConnectionId, _protocolName, exception.Message);
            _reason = exception;
            EndInOrder();
            return;
        }

        Report(exception, callback);
        Abort(exception);
    }

    private void Report(Exception exception, string callback)
        => Errors.Report(Loop, _options.Logger, exception, (logger, e) => logger.ProtocolFailed(e, ConnectionId, _protocolName, callback));

    private void ThrowIfOffLoop()
    {
        if (!Loop.IsOnLoopThread)
        {
            throw new InvalidOperationException(
                "A transport belongs to the thread of its loop. On other threads use transport.Reactor.CallFromThread(() => ...).");
        }
    }
}
