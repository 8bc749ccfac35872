using System.Net;
using System.Threading.Channels;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Kestrel;

/// <summary>
/// One bound endpoint. It accepts on one loop, places each connection on the least loaded one, starts it there and hands it to Kestrel.
/// Shares the loops with every other listener; only its memory pools are its own.
/// </summary>
internal sealed partial class LoopConnectionListener : IConnectionListener
{
    // Connections started and not yet taken by Kestrel, which takes at once unless it is not accepting. Beyond, they wait in the kernel.
    private const int MaxWaiting = 256;

    private readonly LoopConnectionSettings[] _settings;
    private readonly LoopGroup _group;
    private readonly SocketListener _listener;
    private readonly BoundSocket _socket;
    private readonly AcceptLimit? _limit;
    private readonly AcceptCounters _counters;
    private readonly ILogger _logger;
    private readonly ResumeWork _resume;
    private readonly HandOutWork[] _handOuts; // for each member of the group
    private RareLog _fullLog = new(TimeSpan.FromMinutes(1));

    // Its readers continue on the pool, never on the loop that accepted: Kestrel logs and measures there, and loggers may block.
    private readonly Channel<LoopConnection> _accepted =
        Channel.CreateUnbounded<LoopConnection>(new UnboundedChannelOptions { AllowSynchronousContinuations = false });

    private int _waiting;

    /// <param name="socket">Belongs to the listener from here on.</param>
    /// <param name="loop">Where it accepts.</param>
    /// <param name="group">Where connections are placed.</param>
    /// <param name="listen">What accepted sockets get.</param>
    /// <param name="settings">For each member of the group; belongs to the listener from here on.</param>
    /// <param name="limit">How many connections there may be; null: no limit.</param>
    /// <param name="counters">Told of connections that are turned away.</param>
    /// <param name="logger">Told of what goes wrong in accepting.</param>
    internal LoopConnectionListener(
        BoundSocket socket,
        IEventLoop loop,
        LoopGroup group,
        ListenSettings listen,
        LoopConnectionSettings[] settings,
        AcceptLimit? limit,
        AcceptCounters counters,
        ILogger logger)
    {
        _socket = socket;
        _group = group;
        _settings = settings;
        _limit = limit;
        _counters = counters;
        _logger = logger;
        _listener = new SocketListener(loop, socket.Raw, listen, OnAccepted, logger, skipped: logger.ConnectionReset);
        _resume = new ResumeWork(this);
        _handOuts = [.. settings.Select(each => new HandOutWork(this, each.Member.Loop))];
        if (limit is not null)
        {
            limit.HasRoom = () => loop.Post(_resume);
        }
    }

    public EndPoint EndPoint => _socket.EndPoint;

    internal BoundSocket Socket => _socket;

    internal Task StartAsync() => RunOnLoop(_listener.Start);

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _accepted.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_accepted.Reader.TryRead(out LoopConnection? connection))
            {
                if (Interlocked.Decrement(ref _waiting) == MaxWaiting / 2)
                {
                    _listener.Loop.Post(_resume);
                }

                return connection;
            }
        }

        return null;
    }

    private bool MustWait => Volatile.Read(ref _waiting) >= MaxWaiting || _limit is { IsFull: true, Rejects: false };

    // The accepting loop's thread.
    private void OnAccepted(RawSocket socket)
    {
        if (_limit is { IsFull: true })
        {
            Reject(socket);
            return;
        }

        _limit?.Enter();
        Interlocked.Increment(ref _waiting);
        if (MustWait)
        {
            _listener.Pause();
            NoteIfFull();
        }

        LoopMember member = _group.Acquire();
        var start = new StartWork(this, socket, _settings[member.Number], Admit());
        Interlocked.Increment(ref _starting);
        if (ReferenceEquals(member.Loop, _listener.Loop))
        {
            start.Run();
        }
        else if (!member.Loop.Post(start))
        {
            start.Drop(); // the loops are closing
        }
    }

    // An orderly end, as Kestrel gives those beyond its own limit. What the client has sent already makes the close a reset, which must not
    // overtake it.
    private void Reject(RawSocket socket)
    {
        _counters.AddRejected(); // before the client can know: what it sees is counted by then
        NoteIfFull();
        socket.ShutdownSend();
        socket.Dispose();
    }

    private void NoteIfFull()
    {
        if (_limit is { IsFull: true } && _fullLog.MayLog(_listener.Loop.Time))
        {
            _logger.ListenerFull(EndPoint, _limit.Max, _limit.Rejects ? "closed" : "left waiting");
        }
    }

    /// <summary>There may be room again. Loop thread.</summary>
    private sealed class ResumeWork(LoopConnectionListener listener) : ILoopWork
    {
        public void Run()
        {
            if (!listener.MustWait)
            {
                listener._listener.Resume();
            }
        }
    }

    private sealed class StartWork(LoopConnectionListener listener, RawSocket raw, LoopConnectionSettings settings, Newcomers? newcomers)
        : ILoopWork
    {
        /// <summary>It cannot be started.</summary>
        internal void Drop()
        {
            raw.Dispose();
            settings.OnConnectionEnded();
            newcomers?.Leave();
            listener.OnStarted();
        }

        // The connection's loop.
        public void Run()
        {
            try
            {
                Start();
            }
            catch (Exception e)
            {
                listener._logger.AcceptedFailed(e, listener.EndPoint); // out of memory, at most: it costs this connection
                Drop();
            }
        }

        private void Start()
        {
            IEventLoop loop = settings.Member.Loop;
            var socket = new StreamSocket(loop, HandlerSocketDriver.For(loop).OpenStream(raw), settings.Socket);
            var connection = new LoopConnection(socket, settings);
            connection.Join(newcomers);
            socket.Start(connection);
            listener._handOuts[settings.Member.Number].Add(connection);
        }
    }
}
