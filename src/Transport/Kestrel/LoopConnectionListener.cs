using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Kestrel;

/// <summary>
/// One bound endpoint. It accepts on one loop, places each connection on the least loaded one, starts it there and hands it to Kestrel. Shares the loops with every
/// other listener; only its memory pools are its own.
/// </summary>
internal sealed class LoopConnectionListener : IConnectionListener
{
    // Connections started and not yet taken by Kestrel, which takes at once unless it is not accepting. Beyond, they wait in the kernel.
    private const int MaxWaiting = 256;

    private readonly LoopConnectionSettings[] _settings;
    private readonly LoopGroup _group;
    private readonly SocketListener _listener;
    private readonly string? _unixPath;

    // Its readers continue on the pool, never on the loop that accepted: Kestrel logs and measures there, and loggers may block.
    private readonly Channel<LoopConnection> _accepted =
        Channel.CreateUnbounded<LoopConnection>(new UnboundedChannelOptions { AllowSynchronousContinuations = false });

    private int _waiting;
    private int _unbound;

    internal LoopConnectionListener(
        EndPoint endPoint, RawSocket socket, IEventLoop loop, LoopGroup group, LoopBridgeOptions options, ListenSettings settings, IMemoryPoolFactory<byte> pools, ILogger logger)
    {
        _group = group;
        _settings = [.. group.Members.Select(member => new LoopConnectionSettings(options, member, pools.Create(new MemoryPoolOptions { Owner = "kestrel" }), logger))];
        _listener = new SocketListener(loop, socket, settings, OnAccepted, logger);

        // What was asked for is handed back unless the kernel chose (port 0) or the descriptor knows: Kestrel compares the two.
        EndPoint = endPoint is IPEndPoint { Port: not 0 } or UnixDomainSocketEndPoint ? endPoint : socket.LocalEndPoint ?? endPoint;
        _unixPath = endPoint is UnixDomainSocketEndPoint unix && !unix.ToString().StartsWith('@') ? unix.ToString() : null;
    }

    public EndPoint EndPoint { get; }

    internal Task StartAsync() => RunOnLoop(_listener.Start);

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _accepted.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_accepted.Reader.TryRead(out LoopConnection? connection))
            {
                if (Interlocked.Decrement(ref _waiting) == MaxWaiting / 2)
                {
                    _listener.Loop.AddCallback(_listener.Resume);
                }

                return connection;
            }
        }

        return null;
    }

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _unbound, 1) == 0)
        {
            await RunOnLoop(_listener.Dispose).ConfigureAwait(false);
            if (_unixPath is not null)
            {
                File.Delete(_unixPath);
            }

            // Those accepted already are still served; then the end shows as null.
            _accepted.Writer.TryComplete();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await UnbindAsync().ConfigureAwait(false);
        while (_accepted.Reader.TryRead(out LoopConnection? connection))
        {
            connection.Abort(new ConnectionAbortedException("The listener was disposed before the connection was accepted."));
            await connection.DisposeAsync().ConfigureAwait(false);
        }

        foreach (LoopConnectionSettings settings in _settings)
        {
            settings.Pool.Dispose();
        }
    }

    // The accepting loop's thread.
    private void OnAccepted(RawSocket socket)
    {
        if (Interlocked.Increment(ref _waiting) >= MaxWaiting)
        {
            _listener.Pause();
        }

        LoopMember member = _group.Acquire();
        var start = new StartWork(this, socket, _settings[member.Number]);
        if (ReferenceEquals(member.Loop, _listener.Loop))
        {
            start.Run();
        }
        else if (!member.Loop.Post(start))
        {
            socket.Dispose(); // the loops are closing
            member.Release();
        }
    }

    private Task RunOnLoop(Action action)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bool posted = _listener.Loop.AddCallback(() =>
        {
            try
            {
                action();
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e); // the caller's, who waits for it
            }
        });
        if (!posted)
        {
            action(); // the loop is closed, and nobody else runs anything of it any more
            done.SetResult();
        }

        return done.Task;
    }

    private sealed class StartWork(LoopConnectionListener listener, RawSocket raw, LoopConnectionSettings settings) : ILoopWork
    {
        // The connection's loop.
        public void Run()
        {
            IEventLoop loop = settings.Member.Loop;
            var socket = new StreamSocket(loop, HandlerSocketDriver.For(loop).OpenStream(raw), settings.Socket);
            var connection = new LoopConnection(socket, settings);
            try
            {
                socket.Start(connection);
            }
            catch (IOException)
            {
                // The driver has no memory for one more watch (epoll_ctl: ENOMEM, ENOSPC). This connection ends, the others go on.
                raw.Dispose();
                settings.Member.Release();
                return;
            }

            if (!listener._accepted.Writer.TryWrite(connection))
            {
                connection.Abort(new ConnectionAbortedException("The listener was closed before the connection was accepted."));
                _ = connection.DisposeAsync().AsTask();
            }
        }
    }
}
