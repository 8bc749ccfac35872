using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Sockets;

/// <summary>
/// Accepts on one loop and gives each connection away. Accepting never throws and never spins: a connection that died in the queue is
/// skipped, and a process without descriptors or memory waits and tries again.
/// </summary>
internal sealed partial class SocketListener : IListenChannelOwner, IOnBehalf, IDisposable
{
    // A process that lives at its limit is in trouble with every other connection. It is told of once in a while; the rest is Debug.
    private static readonly TimeSpan TroubleLogInterval = TimeSpan.FromMinutes(1);

    // A busy port must not starve the other descriptors of the turn; the rest of the queue waits for the next one.
    private const int MaxBatch = 64;

    private readonly IListenChannel _channel;
    private readonly Action<RawSocket> _accepted;
    private readonly ListenSettings _settings;
    private readonly ILogger _logger;
    private readonly Action<SocketException>? _failed;
    private readonly Action? _skipped;
    private readonly AcceptBackoff _backoff = new();
    private RareLog _trouble = new(TroubleLogInterval);
    private bool _paused;
    private bool _acceptable;
    private LoopTimeout? _wait;
    private ResumeWork? _resume;
    private bool _resumePosted;
    private bool _closed;

    /// <param name="loop">Where it accepts.</param>
    /// <param name="socket">Bound and listening; belongs to the listener from here on.</param>
    /// <param name="settings">What accepted connections get.</param>
    /// <param name="accepted">Takes each connection, on the loop's thread.</param>
    /// <param name="logger">Told when the process runs out of something.</param>
    /// <param name="failed">Told instead of the log that the listening socket itself is broken.</param>
    /// <param name="skipped">Told instead of the log of each connection that died in the queue.</param>
    internal SocketListener(
        IEventLoop loop,
        RawSocket socket,
        ListenSettings settings,
        Action<RawSocket> accepted,
        ILogger logger,
        Action<SocketException>? failed = null,
        Action? skipped = null)
    {
        Loop = loop;
        EndPoint = socket.LocalEndPoint;
        _settings = settings;
        _accepted = accepted;
        _logger = logger;
        _failed = failed;
        _skipped = skipped;
        _channel = HandlerSocketDriver.For(loop).OpenListener(socket);
    }

    internal IEventLoop Loop { get; }

    internal EndPoint? EndPoint { get; }

    object? IOnBehalf.Behalf => _accepted;

    string? IOnBehalf.Label => EndPoint?.ToString();

    /// <summary>Loop thread.</summary>
    internal void Start()
    {
        Loop.Own(this);
        BeginReserving();
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

    /// <summary>
    /// Gives away what waits in the kernel's queue now, also while paused: the close to come would reset it. Stops where there are no more
    /// descriptors, or where <paramref name="goOn"/> says no. Loop thread.
    /// </summary>
    internal void Drain(Func<bool> goOn)
    {
        using OutsideContext _ = OutsideContext.Enter();

        // Those that come meanwhile may be as many again, and so on; more than the queue holds did not wait when this began.
        for (int i = 0; i <= _settings.Backlog && !_closed && goOn(); i++)
        {
            IoResult result = _channel.Accept(out RawSocket? accepted);
            if (result.IsOk)
            {
                bool last = DescriptorHeadroom.IsUsedUpBy(accepted!.Handle);
                GiveAway(accepted);
                if (last)
                {
                    return;
                }
            }
            else if (result.IsError && AcceptBackoff.IsOfOneConnection(result.Error))
            {
                Skip(result.Error);
            }
            else
            {
                return; // none is left; or none can be had, and the close resets them
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
            if (_wait is not null)
            {
                Loop.RemoveTimeout(_wait);
            }

            _channel.Close();
            EndReserving();
        }
    }

    void IListenChannelOwner.OnAcceptable()
    {
        _acceptable = true;
        Accept();
    }

    private bool MayAccept => !_paused && !_closed && _wait is null;

    private void Accept()
    {
        using OutsideContext _ = OutsideContext.Enter();
        for (int i = 0; i < MaxBatch && MayAccept; i++)
        {
            IoResult result = _channel.Accept(out RawSocket? accepted);
            if (result.IsPending)
            {
                _acceptable = false;
                return;
            }

            if (result.IsError)
            {
                if (!AcceptBackoff.IsOfOneConnection(result.Error))
                {
                    Rest(result.Error);
                    return;
                }

                Skip(result.Error);
                continue;
            }

            bool last = DescriptorHeadroom.IsUsedUpBy(accepted!.Handle);
            if (last && _reserves)
            {
                TurnAway(accepted);
                continue;
            }

            GiveAway(accepted);
            if (last)
            {
                Rest(SocketError.TooManyOpenSockets);
                return;
            }

            _backoff.Reset();
            NoteServed();
        }

        if (_acceptable && !_resumePosted && MayAccept)
        {
            _resumePosted = true;
            Loop.Post(_resume ??= new ResumeWork(this));
        }
    }

    // The connection died in the queue, or a packet filter refused it: the next one may be well.
    private void Skip(SocketError error)
    {
        if (_skipped is not null)
        {
            _skipped();
        }
        else
        {
            _logger.AcceptSkipped(EndPoint, error);
        }
    }

    private void GiveAway(RawSocket accepted)
    {
        if (_settings.NoDelay && accepted.IsTcp)
        {
            accepted.SetNoDelay(true);
        }

        try
        {
            _accepted(accepted);
        }
        catch (Exception e)
        {
            // A bug above costs that connection, not those behind it: nothing would tell of them again.
            _logger.AcceptedFailed(e, EndPoint);
            accepted.Dispose();
        }
    }

    private void Rest(SocketError error)
    {
        if (_closed || (_reserves && error == SocketError.TooManyOpenSockets && TryTurnAwayAll()))
        {
            return; // closed by what took the last connection; or nobody waits any more
        }

        TimeSpan delay = _backoff.Next();
        if (AcceptBackoff.IsExhaustion(error))
        {
            _logger.AcceptExhausted(_trouble.MayLog(Loop.Time) ? LogLevel.Warning : LogLevel.Debug, EndPoint, error, delay);
        }
        else if (_failed is not null)
        {
            _failed(new SocketException((int)error));
        }
        else
        {
            _logger.AcceptFailed(_trouble.MayLog(Loop.Time) ? LogLevel.Error : LogLevel.Debug, EndPoint, error, delay);
        }

        _wait = Loop.CallLater(delay, static state =>
        {
            var listener = (SocketListener)state!;
            listener._wait = null;
            listener.ReserveAgain();
            if (listener._reserves || DescriptorHeadroom.HasRoom())
            {
                listener.Accept();
            }
            else
            {
                listener.Rest(SocketError.TooManyOpenSockets);
            }
        }, this);
    }

    private sealed class ResumeWork(SocketListener listener) : ILoopWork
    {
        public void Run()
        {
            listener._resumePosted = false;
            listener.Accept();
        }
    }
}
