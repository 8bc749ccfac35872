using System.Buffers;
using System.Net;
using System.Net.Sockets;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using LoopBridge.Resolvers;
using LoopBridge.Sockets;
using LoopBridge.Streams;

namespace LoopBridge.Protocols;

/// <summary>Connects a protocol: the name and its addresses as clients of streams do it, then the callbacks.</summary>
internal static class TcpConnect
{
    internal static async Task<TProtocol> ConnectAsync<TProtocol>(
        IReactor reactor,
        string host,
        int port,
        Func<TProtocol> build,
        INameResolver resolver,
        TransportOptions options,
        CancellationToken cancellationToken)
        where TProtocol : Protocol
    {
        IEventLoop loop = ReactorNetwork.LoopOf(reactor);
        var connector = new HostConnector<ConnectingSink>(
            loop,
            resolver,
            (endPoint, token) => SocketConnector.ConnectAsync(
                loop, endPoint, StreamSocketOptions.Default, static socket => new ConnectingSink(socket), token, noDelay: false),
            static sink => sink.Socket.Close(reason: null, reset: false));
        ConnectingSink sink = await LoopCall.InvokeAsync(loop, () => connector.ConnectAsync(host, port, cancellationToken))
            .ConfigureAwait(false);
        return await BeginAsync(reactor, sink, sink.Socket.RemoteEndPoint!, build, options, cancellationToken).ConfigureAwait(false);
    }

    internal static async Task<TProtocol> ConnectAsync<TProtocol>(
        IReactor reactor, EndPoint endPoint, Func<TProtocol> build, TransportOptions options, CancellationToken cancellationToken)
        where TProtocol : Protocol
    {
        IEventLoop loop = ReactorNetwork.LoopOf(reactor);
        ConnectingSink sink;
        try
        {
            sink = await SocketConnector.ConnectAsync(
                loop, endPoint, StreamSocketOptions.Default, static socket => new ConnectingSink(socket), cancellationToken, noDelay: false)
                .ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            throw new ConnectFailedException(endPoint, e); // expected: refused, unreachable, timed out
        }

        return await BeginAsync(reactor, sink, endPoint, build, options, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<TProtocol> BeginAsync<TProtocol>(
        IReactor reactor,
        ConnectingSink sink,
        EndPoint endPoint,
        Func<TProtocol> build,
        TransportOptions options,
        CancellationToken cancellationToken)
        where TProtocol : Protocol
    {
        var begin = new BeginWork<TProtocol>(reactor, sink, endPoint, build, options, cancellationToken);
        if (!sink.Socket.Loop.Post(begin))
        {
            throw new ObjectDisposedException(nameof(IEventLoop), $"Cannot connect to {endPoint}: the loop is closed.");
        }

        return await begin.Outcome.ConfigureAwait(false);
    }

    /// <summary>The loop's part: from a connected stream to a connected protocol.</summary>
    private sealed class BeginWork<TProtocol>(
        IReactor reactor,
        ConnectingSink sink,
        EndPoint endPoint,
        Func<TProtocol> build,
        TransportOptions options,
        CancellationToken cancellationToken)
        : ILoopWork
        where TProtocol : Protocol
    {
        private readonly TaskCompletionSource<TProtocol> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task<TProtocol> Outcome => _outcome.Task;

        public void Run()
        {
            if (cancellationToken.IsCancellationRequested)
            {
                sink.Socket.Close(new OperationCanceledException(cancellationToken), reset: true);
                _outcome.SetCanceled(cancellationToken);
                return;
            }

            if (sink.IsClosed)
            {
                SocketException cause = sink.Reason as SocketException ?? sink.Reason?.InnerException as SocketException
                    ?? new SocketException((int)SocketError.ConnectionAborted);
                _outcome.SetException(new ConnectFailedException(endPoint, cause));
                return;
            }

            try
            {
                _outcome.SetResult(Begin());
            }
            catch (Exception e)
            {
                sink.Socket.Close(null, reset: false);
                _outcome.SetException(e); // the caller's own function threw, or built nothing
            }
        }

        private TProtocol Begin()
        {
            TProtocol? protocol;
            var call = new ProtocolCall(sink.Socket.Loop, null);
            try
            {
                protocol = build();
            }
            finally
            {
                call.Leave();
            }

            if (protocol is null)
            {
                throw new InvalidOperationException($"No protocol was built for the connection to {endPoint}.");
            }

            var transport = new ReactorTransport(sink.Socket, protocol, options, reactor: reactor);
            sink.Socket.ChangeSink(transport);
            transport.Begin(ReadOnlySequence<byte>.Empty);
            return protocol;
        }
    }
}
