using System.Net;
using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoopBridge.Protocols;

/// <summary>One start of a port, and its stop.</summary>
internal sealed class ListeningPeriod : IDisposable
{
    private readonly ListeningPort _port;
    private readonly SocketListener _listener;
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _stopRequested;
    private bool _closed;

    internal ListeningPeriod(ListeningPort port, RawSocket socket)
    {
        _port = port;
        EndPoint = socket.LocalEndPoint!;
        Handle = socket.Handle;
        _listener = new SocketListener(
            port.Loop,
            socket,
            port.Settings,
            accepted => AcceptedConnection.Begin(
                port.Reactor, port.Loop, accepted, port.Factory, port.FactoryName, port.Options),
            Logger ?? NullLogger.Instance);
    }

    internal EndPoint EndPoint { get; }

    internal SafeHandle Handle { get; }

    /// <summary>Whether it accepts. Loop thread.</summary>
    internal bool IsAccepting { get; private set; }

    /// <summary>Whether the socket is closed and the factory told. Any thread.</summary>
    internal bool IsOver => _stopped.Task.IsCompleted;

    private ILogger? Logger => _port.Options.Logger;

    /// <summary>Begins to accept. False: the loop is closed, and the period over.</summary>
    internal bool TryBegin()
    {
        if (_port.Loop.IsOnLoopThread)
        {
            Start();
            return true;
        }

        if (_port.Loop.Post(new StartWork(this)))
        {
            return true;
        }

        Close();
        return false;
    }

    internal Task StopAsync()
    {
        if (Interlocked.Exchange(ref _stopRequested, 1) == 0 && !_port.Loop.Post(new StopWork(this)))
        {
            Close(); // the loop is closed, and the socket with it
        }

        return _stopped.Task;
    }

    /// <summary>Loop thread.</summary>
    internal void CloseNow()
    {
        if (Close() is { } failure)
        {
            _ = _stopped.Task.Exception; // seen: the caller gets it
            throw failure;
        }
    }

    /// <summary>Leaves connections in the kernel's queue until the stop. Loop thread.</summary>
    internal void SetAside()
    {
        IsAccepting = false;
        _listener.Pause();
    }

    public void Dispose() => Close();

    private void Start()
    {
        if (!_closed)
        {
            _listener.Start();
            IsAccepting = true;
            _port.EnterBooks();
            Logger?.ListeningStarted(_port.FactoryName, EndPoint);
        }
    }

    // What the factory throws is user code's; whoever stops the port learns of it (R-TCPP-19).
    private Exception? Close()
    {
        if (_closed)
        {
            return null;
        }

        _closed = true;
        IsAccepting = false;
        _port.LeaveBooks();
        _listener.Dispose();
        Logger?.ListeningStopped(_port.FactoryName, EndPoint);
        try
        {
            _port.Factory.DoStop();
            _stopped.TrySetResult();
            return null;
        }
        catch (Exception e)
        {
            _stopped.TrySetException(e);
            return e;
        }
    }

    private sealed class StartWork(ListeningPeriod period) : ILoopWork
    {
        public void Run() => period.Start();
    }

    private sealed class StopWork(ListeningPeriod period) : ILoopWork
    {
        public void Run() => period.Close();
    }
}
