using System.Buffers;
using System.Net;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using SocketException = System.Net.Sockets.SocketException;

namespace LoopBridge.Protocols;

/// <summary>Accepts on one loop and gives each connection there a protocol.</summary>
internal sealed class ListeningPort : IListeningPort
{
    private readonly IEventLoop _loop;
    private readonly IProtocolFactory _factory;
    private readonly TransportOptions _options;
    private readonly SocketListener _listener;
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _factoryName;
    private int _stopping;

    private ListeningPort(
        IEventLoop loop, RawSocket socket, ListenSettings settings, IProtocolFactory factory, string factoryName, TransportOptions options)
    {
        _loop = loop;
        _factory = factory;
        _factoryName = factoryName;
        _options = options;
        Host = socket.LocalEndPoint!;
        _listener = new SocketListener(loop, socket, settings, Accept, options.Logger ?? NullLogger.Instance);
    }

    public EndPoint Host { get; }

    /// <summary>Listens as soon as this returns; accepts as soon as the loop turns. Any thread.</summary>
    internal static ListeningPort Open(IEventLoop loop, EndPoint endPoint, IProtocolFactory factory, TransportOptions options, int backlog)
    {
        string factoryName = factory.ToString() ?? factory.GetType().Name; // once: a name that cannot fail later (R-TCPP-27)
        var settings = new ListenSettings { Backlog = backlog };
        RawSocket socket = Listen(loop, endPoint, settings);
        ListeningPort port;
        try
        {
            factory.DoStart();
            port = new ListeningPort(loop, socket, settings, factory, factoryName, options);
        }
        catch
        {
            socket.Dispose(); // what the factory threw goes on to the caller; the socket must not
            throw;
        }

        if (loop.IsOnLoopThread)
        {
            port.Start();
        }
        else if (!loop.Post(new StartWork(port)))
        {
            port.Stop();
            throw new ObjectDisposedException(nameof(IEventLoop), $"Cannot listen on {endPoint}: the loop is closed.");
        }

        return port;
    }

    public Task StopListeningAsync()
    {
        if (Interlocked.Exchange(ref _stopping, 1) == 0 && !_loop.Post(new StopWork(this)))
        {
            Stop(); // the loop is closed, and the socket with it
        }

        return _stopped.Task;
    }

    public ValueTask DisposeAsync() => new(StopListeningAsync());

    public override string ToString() => $"{_factoryName} on {Host}";

    private static RawSocket Listen(IEventLoop loop, EndPoint endPoint, ListenSettings settings)
    {
        try
        {
            return ListeningSockets.Listen(HandlerSocketDriver.For(loop), endPoint, settings);
        }
        catch (Exception e) when (e is SocketException or AddressInUseException)
        {
            throw new CannotListenException(endPoint, e); // expected: taken, not ours, not there
        }
    }

    private void Start()
    {
        _listener.Start();
        _options.Logger?.ListeningStarted(_factoryName, Host);
    }

    private void Stop()
    {
        _listener.Dispose();
        _options.Logger?.ListeningStopped(_factoryName, Host);
        try
        {
            _factory.DoStop();
            _stopped.TrySetResult();
        }
        catch (Exception e)
        {
            _stopped.TrySetException(e); // user code; whoever stops the port learns of it (R-TCPP-19)
        }
    }

    // On the loop's thread, in the middle of a batch: whatever happens to one connection must not reach the next.
    private void Accept(RawSocket socket)
    {
        EndPoint? peer = socket.RemoteEndPoint;
        StreamSocket? stream = null;
        try
        {
            if (Build(peer) is not { } protocol)
            {
                _options.Logger?.BuildRefused(_factoryName, peer);
                socket.Dispose();
                return;
            }

            stream = new StreamSocket(_loop, HandlerSocketDriver.For(_loop).OpenStream(socket));
            var transport = new ReactorTransport(stream, protocol, _options);
            stream.Start(transport);
            transport.Begin(ReadOnlySequence<byte>.Empty);
        }
        catch (Exception e)
        {
            // The factory is user code; and the system may refuse to watch one more socket.
            Errors.Report(_loop, _options.Logger, e, (logger, exception) => logger.BuildFailed(exception, _factoryName, peer));
            if (stream is null)
            {
                socket.Dispose();
            }
            else
            {
                stream.Close(null, reset: false);
            }
        }
    }

    private Protocol? Build(EndPoint? peer)
    {
        var call = new ProtocolCall(_loop, null);
        try
        {
            return _factory.BuildProtocol(peer);
        }
        finally
        {
            call.Leave();
        }
    }

    private sealed class StartWork(ListeningPort port) : ILoopWork
    {
        public void Run() => port.Start();
    }

    private sealed class StopWork(ListeningPort port) : ILoopWork
    {
        public void Run() => port.Stop();
    }
}
