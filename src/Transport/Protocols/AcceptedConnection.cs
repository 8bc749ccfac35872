using System.Buffers;
using System.Net;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using LoopBridge.Sockets;

namespace LoopBridge.Protocols;

/// <summary>From the socket of a connection that somebody accepted to a protocol on it.</summary>
internal static class AcceptedConnection
{
    /// <summary>
    /// On the loop's thread, perhaps in the middle of a batch: whatever happens to one connection must not reach the next.
    /// </summary>
    internal static void Begin(
        IReactor reactor, IEventLoop loop, RawSocket socket, IProtocolFactory factory, string factoryName, TransportOptions options)
    {
        EndPoint? peer = socket.RemoteEndPoint;
        StreamSocket? stream = null;
        try
        {
            if (Build(loop, factory, peer) is not { } protocol)
            {
                options.Logger?.BuildRefused(factoryName, peer);
                socket.Dispose();
                return;
            }

            stream = new StreamSocket(loop, HandlerSocketDriver.For(loop).OpenStream(socket));
            var transport = new ReactorTransport(stream, protocol, options, reactor: reactor);
            stream.Start(transport);
            transport.Begin(ReadOnlySequence<byte>.Empty);
        }
        catch (Exception e)
        {
            // The factory is user code; and the system may refuse to watch one more socket.
            Errors.Report(loop, options.Logger, e, (logger, exception) => logger.BuildFailed(exception, factoryName, peer));
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

    private static Protocol? Build(IEventLoop loop, IProtocolFactory factory, EndPoint? peer)
    {
        var call = new ProtocolCall(loop, null);
        try
        {
            return factory.BuildProtocol(peer);
        }
        finally
        {
            call.Leave();
        }
    }
}
