using System.Net;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Sockets;

namespace LoopBridge.Streams;

/// <summary>
/// One listening socket of a server: first only bound, so that clients wait in the system, then accepting on the loop, then closed.
/// </summary>
/// <param name="server">Takes the connections.</param>
/// <param name="socket">Bound and listening; the port's from here on.</param>
/// <param name="file">What to remove in the end; null if there is no file.</param>
internal sealed class LoopServerPort(LoopTcpServer server, RawSocket socket, SocketFile? file) : IDisposable
{
    private const int Waiting = 0;
    private const int Accepting = 1;
    private const int Closed = 2;

    private readonly IEventLoop _loop = server.Loop;

    private SocketListener? _listener;
    private int _state;

    internal EndPoint? EndPoint { get; } = socket.LocalEndPoint;

    /// <summary>Accepts from now on, or as soon as the loop turns. Any thread.</summary>
    /// <exception cref="ObjectDisposedException">The loop is closed.</exception>
    internal void Start()
    {
        if (_loop.IsOnLoopThread)
        {
            Accept();
        }
        else if (!_loop.Post(new PortWork(Accept)))
        {
            Dispose();
            throw new ObjectDisposedException(nameof(IEventLoop), $"Cannot listen on {EndPoint}: the loop is closed.");
        }
    }

    /// <summary>
    /// Closes the socket: at once on the loop's thread, and where nothing was accepted yet; otherwise as soon as the loop turns. Any
    /// thread.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.CompareExchange(ref _state, Closed, Waiting) == Waiting)
        {
            socket.Dispose();
            Tell();
        }
        else if (_loop.IsOnLoopThread)
        {
            CloseListener();
        }
        else
        {
            _loop.Post(new PortWork(CloseListener)); // a loop that is closed has closed the socket with it
        }
    }

    /// <summary>Leaves connections in the system until <see cref="Resume"/>. Loop thread.</summary>
    internal void Pause() => _listener?.Pause();

    /// <summary>Loop thread.</summary>
    internal void Resume() => _listener?.Resume();

    private void Accept()
    {
        if (Interlocked.CompareExchange(ref _state, Accepting, Waiting) != Waiting)
        {
            return; // closed meanwhile
        }

        _listener = new SocketListener(_loop, socket, server.ListenSettings, server.Accept, server.Logger);
        try
        {
            _listener.Start();
            if (server.IsFull)
            {
                _listener.Pause();
            }

            server.Logger.ServerListening(EndPoint);
        }
        catch
        {
            CloseListener(); // the kernel is out of watches or memory, which the caller or the loop reports
            throw;
        }
    }

    private void CloseListener()
    {
        if (Interlocked.CompareExchange(ref _state, Closed, Accepting) == Accepting)
        {
            _listener!.Dispose();
            Tell();
        }
    }

    private void Tell()
    {
        file?.Remove();
        server.Logger.ServerStopped(EndPoint);
    }

    private sealed class PortWork(Action action) : ILoopWork
    {
        public void Run() => action();
    }
}
