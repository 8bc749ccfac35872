using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Sockets;

/// <summary>
/// Accepts on one loop and gives each connection away. Accepting never throws and never spins: a connection that died in the queue is skipped, and a process without
/// descriptors or memory waits and tries again.
/// </summary>
internal sealed class SocketListener : IListenChannelOwner, IDisposable
{
    // A busy port must not starve the other descriptors of the turn; the rest of the queue waits for the next one.
    private const int MaxBatch = 64;

    private readonly IListenChannel _channel;
    private readonly Action<RawSocket> _accepted;
    private readonly ListenSettings _settings;
    private readonly ILogger _logger;
    private readonly AcceptBackoff _backoff = new();
    private bool _paused;
    private bool _acceptable;
    private bool _waits;
    private bool _closed;

    /// <param name="loop">Where it accepts.</param>
    /// <param name="socket">Bound and listening; belongs to the listener from here on.</param>
    /// <param name="settings">What accepted connections get.</param>
    /// <param name="accepted">Takes each connection, on the loop's thread.</param>
    /// <param name="logger">Told when the process runs out of something.</param>
    internal SocketListener(IEventLoop loop, RawSocket socket, ListenSettings settings, Action<RawSocket> accepted, ILogger logger)
    {
        Loop = loop;
        EndPoint = socket.LocalEndPoint;
        _settings = settings;
        _accepted = accepted;
        _logger = logger;
        _channel = HandlerSocketDriver.For(loop).OpenListener(socket);
    }

    internal IEventLoop Loop { get; }

    internal EndPoint? EndPoint { get; }

    /// <summary>Loop thread.</summary>
    internal void Start()
    {
        Loop.Own(this);
        _channel.Start(this);
    }

    /// <summary>Leaves connections in the kernel's queue until <see cref="Resume"/>. Loop thread.</summary>
    internal void Pause() => _paused = true;

    /// <summary>Loop thread.</summary>
    internal void Resume()
    {
        if (_paused)
        {
            _paused = false;
            if (_acceptable)
            {
                Accept();
            }
        }
    }

    /// <summary>Closes the listening socket: new connects are refused. Loop thread.</summary>
    public void Dispose()
    {
        if (!_closed)
        {
            _closed = true;
            Loop.Disown(this);
            _channel.Close();
        }
    }

    void IListenChannelOwner.OnAcceptable()
    {
        _acceptable = true;
        Accept();
    }

    private void Accept()
    {
        for (int i = 0; i < MaxBatch && !_paused && !_waits && !_closed; i++)
        {
            IoResult result = _channel.Accept(out RawSocket? accepted);
            if (result.IsPending)
            {
                _acceptable = false;
                return;
            }

            if (result.IsError)
            {
                if (AcceptBackoff.IsExhaustion(result.Error))
                {
                    WaitForResources(result.Error);
                    return;
                }

                // The connection died in the queue, or a packet filter refused it (accept(2)): the next one may be well.
                _logger.AcceptSkipped(EndPoint, result.Error);
                continue;
            }

            _backoff.Reset();
            if (_settings.NoDelay && accepted!.IsTcp)
            {
                accepted.SetNoDelay(true);
            }

            _accepted(accepted!);
        }

        if (_acceptable && !_paused && !_waits && !_closed)
        {
            Loop.Post(new ResumeWork(this));
        }
    }

    private void WaitForResources(SocketError error)
    {
        TimeSpan delay = _backoff.Next();
        _logger.AcceptExhausted(EndPoint, error, delay);
        _waits = true;
        Loop.CallLater(delay, static state =>
        {
            var listener = (SocketListener)state!;
            listener._waits = false;
            listener.Accept();
        }, this);
    }

    private sealed class ResumeWork(SocketListener listener) : ILoopWork
    {
        public void Run() => listener.Accept();
    }
}
