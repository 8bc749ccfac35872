using System.Buffers;
using System.Net;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using LoopBridge.Sockets;

namespace LoopBridge.Protocols;

/// <summary>
/// The life of a connector, whatever it connects to: attempts, the connection, and what the factory hears of them. Descends from Twisted's
/// <c>BaseConnector</c>.
/// </summary>
/// <remarks>
/// The end of an attempt has one road: success, failure, timeout and <see cref="StopConnecting"/> all end what <see cref="OpenAsync"/>
/// awaits, and the factory hears of it from there, in a later turn. What was asked first stays the reason.
/// </remarks>
internal abstract class ClientConnector(
    IReactor reactor, IEventLoop loop, IClientFactory factory, EndPoint destination, TimeSpan? timeout, TransportOptions options)
    : IConnector
{
    private ConnectAttemptState? _attempt;
    private ReactorTransport? _transport;
    private bool _factoryStarted;

    public ConnectorState State { get; private set; }

    public EndPoint Destination => destination;

    protected IEventLoop Loop => loop;

    public void Connect()
    {
        if (State != ConnectorState.Disconnected || _attempt is not null)
        {
            throw new InvalidOperationException(
                $"The connector is in use ({this}): connect again from ClientConnectionFailed or ClientConnectionLost, or after them.");
        }

        if (!_factoryStarted)
        {
            factory.DoStart();
            _factoryStarted = true;
        }

        var attempt = new ConnectAttemptState(this);
        if (!loop.AddCallback(static state => ((ConnectAttemptState)state!).Run(), attempt))
        {
            StopFactory();
            throw new ObjectDisposedException(nameof(IEventLoop), $"Cannot connect to {destination}: the loop is closed.");
        }

        _attempt = attempt;
        State = ConnectorState.Connecting;
        attempt.StartTimer(reactor, timeout);
        factory.StartedConnecting(this);
    }

    public void StopConnecting()
    {
        if (State != ConnectorState.Connecting)
        {
            throw new NotConnectingException($"There is no attempt to stop ({this}).");
        }

        State = ConnectorState.Disconnected;
        _attempt!.End(new UserErrorException($"The attempt to connect to {destination} was stopped."));
    }

    public void Disconnect()
    {
        if (State == ConnectorState.Connecting)
        {
            StopConnecting();
        }
        else
        {
            _transport?.LoseConnection();
        }
    }

    public override string ToString() => State switch
    {
        ConnectorState.Disconnected => $"disconnected from {destination}",
        ConnectorState.Connecting => $"connecting to {destination}",
        _ => $"connected to {destination}",
    };

    /// <summary>Makes a connection. Under the loop's context; the token fires there, too.</summary>
    protected abstract Task<ConnectingSink> OpenAsync(CancellationToken cancellationToken);

    private void OnFailed(Exception reason)
    {
        _attempt = null;
        State = ConnectorState.Disconnected;
        Tell(
            static (to, connector, why) => to.ClientConnectionFailed(connector, why),
            reason,
            nameof(IClientFactory.ClientConnectionFailed));
    }

    private void OnConnected(ConnectingSink sink)
    {
        _attempt = null;
        State = ConnectorState.Connected;
        using OutsideContext _ = OutsideContext.Enter();
        ReactorTransport transport = MakeTransport(sink.Socket, out Exception? failure, out bool refused);
        _transport = transport;
        transport.Lost = OnLost;
        sink.Socket.ChangeSink(transport);
        transport.Begin(ReadOnlySequence<byte>.Empty);
        if (refused)
        {
            transport.Refuse(failure);
        }
    }

    // Where the factory builds nothing there is a connection nonetheless, and its end has to be reported (R-TCPC-04).
    private ReactorTransport MakeTransport(StreamSocket socket, out Exception? failure, out bool refused)
    {
        failure = null;
        refused = false;
        var call = new ProtocolCall(loop, null);
        try
        {
            if (factory.BuildProtocol(socket.RemoteEndPoint) is { } protocol)
            {
                return new ReactorTransport(socket, protocol, options, reactor: reactor);
            }
        }
        catch (Exception e)
        {
            failure = e; // user code
            Report(e, nameof(IProtocolFactory.BuildProtocol));
        }
        finally
        {
            call.Leave();
        }

        refused = true;
        return new ReactorTransport(socket, new NoProtocol(), options, reactor: reactor);
    }

    private void OnLost(Exception reason)
    {
        _transport = null;
        State = ConnectorState.Disconnected;
        Tell(
            static (to, connector, why) => to.ClientConnectionLost(connector, why),
            reason,
            nameof(IClientFactory.ClientConnectionLost));
    }

    private void Tell(Action<IClientFactory, IConnector, Exception> notify, Exception reason, string callback)
    {
        var call = new ProtocolCall(loop, null);
        try
        {
            notify(factory, this, reason);
        }
        catch (Exception e)
        {
            Report(e, callback); // user code
        }

        try
        {
            if (State == ConnectorState.Disconnected && _attempt is null)
            {
                StopFactory();
            }
        }
        catch (Exception e)
        {
            Report(e, nameof(IProtocolFactory.DoStop)); // user code
        }
        finally
        {
            call.Leave();
        }
    }

    private void StopFactory()
    {
        if (_factoryStarted)
        {
            _factoryStarted = false;
            factory.DoStop();
        }
    }

    private void Report(Exception exception, string callback) => Errors.Report(
        loop, options.Logger, exception, (logger, e) => logger.ClientFactoryFailed(e, factory.GetType().Name, callback, destination));

    /// <summary>Stands in for a protocol that was not built.</summary>
    private sealed class NoProtocol : Protocol;

    /// <summary>One attempt. Its continuations run on the loop.</summary>
    private sealed class ConnectAttemptState(ClientConnector connector)
    {
        private CancellationTokenSource? _cancellation;
        private IDelayedCall? _timer;
        private ConnectException? _reason;

        internal void StartTimer(IReactor reactor, TimeSpan? timeout)
        {
            if (timeout is { } limit)
            {
                _timer = reactor.CallLater(limit, static state => ((ConnectAttemptState)state!).OnTimeout(), this);
            }
        }

        internal void Run() => _ = RunAsync();

        internal void End(ConnectException reason)
        {
            _reason ??= reason;
            StopTimer();
            _cancellation?.Cancel();
        }

        private async Task RunAsync()
        {
            ConnectingSink? sink = null;
            if (_reason is null)
            {
                using var cancellation = new CancellationTokenSource();
                _cancellation = cancellation;
                try
                {
                    sink = await connector.OpenAsync(cancellation.Token);
                }
                catch (Exception e)
                {
                    _reason ??= ConnectErrors.From(e, connector.Destination); // the factory's to hear
                }

                _cancellation = null;
                StopTimer();
            }

            if (_reason is null)
            {
                connector.OnConnected(sink!);
            }
            else
            {
                sink?.Socket.Close(_reason, reset: true); // connected, and stopped in the turn after
                connector.OnFailed(_reason);
            }
        }

        private void OnTimeout()
        {
            _timer = null;
            End(new ConnectTimeoutException($"There was no connection to {connector.Destination} in time."));
        }

        private void StopTimer()
        {
            if (_timer is { Active: true })
            {
                _timer.Cancel();
            }

            _timer = null;
        }
    }
}
