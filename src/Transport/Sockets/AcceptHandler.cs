using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Sockets;

/// <summary>Accepts for user code: gives .NET sockets, runs it under the loop's context, and hands what it throws to the loop.</summary>
internal sealed class AcceptHandler : IDisposable
{
    private readonly IEventLoop _loop;
    private readonly Action<Socket> _accepted;
    private readonly SocketListener _listener;

    private AcceptHandler(IEventLoop loop, RawSocket socket, Action<Socket> accepted, ILogger logger)
    {
        _loop = loop;
        _accepted = accepted;
        _listener = new SocketListener(loop, socket, new ListenSettings(), Accept, logger, Report);
    }

    internal static AcceptHandler Start(IEventLoop loop, Socket socket, Action<Socket> accepted, ILogger logger)
    {
        RawSocket shared = ReadyMadeSockets.Share(HandlerSocketDriver.For(loop), socket.SafeHandle);
        try
        {
            var handler = new AcceptHandler(loop, shared, accepted, logger);
            handler._listener.Start();
            return handler;
        }
        catch
        {
            shared.Dispose(); // the loop cannot watch it, which is the caller's to hear
            throw;
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Accept(RawSocket raw)
    {
        Socket socket = raw.Detach();
        SynchronizationContext.SetSynchronizationContext(_loop.SynchronizationContext);
        try
        {
            _accepted(socket);
        }
        catch (Exception e)
        {
            socket.Dispose(); // nobody has taken it
            Report(e);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(null);
        }
    }

    // The loop reports whatever escapes its callbacks.
    private void Report(Exception exception)
        => _loop.AddCallback(static escaped => ((ExceptionDispatchInfo)escaped!).Throw(), ExceptionDispatchInfo.Capture(exception));
}
