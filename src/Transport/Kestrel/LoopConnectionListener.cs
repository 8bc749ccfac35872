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
/// One bound endpoint. It accepts on one loop, places each connection on the least loaded one, starts it there and hands it to Kestrel.
/// Shares the loops with every other listener; only its memory pools are its own.
/// </summary>
internal sealed class LoopConnectionListener : IConnectionListener
{
    // Connections started and not yet taken by Kestrel, which takes at once unless it is not accepting. Beyond, they wait in the kernel.
    private const int MaxWaiting = 256;

    private readonly LoopConnectionSettings[] _settings;
    private readonly LoopGroup _group;
    private readonly SocketListener _listener;
    private readonly ResumeWork _resume;
    private readonly string? _unixPath;

    // Its readers continue on the pool, never on the loop that accepted: Kestrel logs and measures there, and loggers may block.
    private readonly Channel<LoopConnection> _accepted =
        Channel.CreateUnbounded<LoopConnection>(new UnboundedChannelOptions { AllowSynchronousContinuations = false });

    private readonly Lock _lock = new();
    private Task? _unbind;
    private int _waiting;
    private int _disposed;

    /// <param name="endPoint">What was asked for.</param>
    /// <param name="socket">Bound to it and listening.</param>
    /// <param name="loop">Where it accepts.</param>
    /// <param name="group">Where connections are placed.</param>
    /// <param name="listen">What accepted sockets get.</param>
    /// <param name="settings">For each member of the group; belongs to the listener from here on.</param>
    /// <param name="logger">Told of what goes wrong in accepting.</param>
    internal LoopConnectionListener(
        EndPoint endPoint, RawSocket socket, IEventLoop loop, LoopGroup group, ListenSettings listen, LoopConnectionSettings[] settings, ILogger logger)
    {
        _group = group;
        _settings = settings;
        _listener = new SocketListener(loop, socket, listen, OnAccepted, logger);
        _resume = new ResumeWork(_listener);

        // What was asked for is handed back unless the kernel chose (port 0) or the descriptor knows: Kestrel compares the two.
        EndPoint = endPoint is IPEndPoint { Port: not 0 } or UnixDomainSocketEndPoint ? endPoint : socket.LocalEndPoint ?? endPoint;
        _unixPath = endPoint is UnixDomainSocketEndPoint unix && !IsAbstract(unix) ? unix.ToString() : null;
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
                    _listener.Loop.Post(_resume);
                }

                return connection;
            }
        }

        return null;
    }

    /// <summary>
    /// Whoever calls, in whatever order, waits for the same end. The token is not looked at: nothing here takes long, and Kestrel may pass
    /// a cancelled one.
    /// </summary>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            return new ValueTask(_unbind ??= UnbindCoreAsync());
        }
    }

    private async Task UnbindCoreAsync()
    {
        await RunOnLoop(_listener.Dispose).ConfigureAwait(false);
        if (_unixPath is not null)
        {
            try
            {
                File.Delete(_unixPath);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Expected when the directory has gone or its rights have changed: the listener has ended all the same.
            }
        }

        // Those accepted already are still served; then the end shows as null.
        _accepted.Writer.TryComplete();
    }

    public async ValueTask DisposeAsync()
    {
        await UnbindAsync().ConfigureAwait(false);
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }

        while (_accepted.Reader.TryRead(out LoopConnection? connection))
        {
            connection.Abort(new ConnectionAbortedException("The listener was disposed before the connection was accepted."));
            await connection.DisposeAsync().ConfigureAwait(false);
        }

        foreach (LoopConnectionSettings settings in _settings)
        {
            settings.Release();
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

    // The engine's kind of work, which a loop that is being closed still runs: whoever waits for the end gets it.
    private Task RunOnLoop(Action action)
    {
        var work = new LoopCall(action);
        if (!_listener.Loop.Post(work))
        {
            work.Run(); // the loop is closed, and nobody else runs anything of it any more
        }

        return work.Done;
    }

    // unix(7): the name of an abstract socket begins with NUL, behind two bytes of family. Its text begins with '@', as a file's may.
    private static bool IsAbstract(UnixDomainSocketEndPoint endPoint)
    {
        SocketAddress address = endPoint.Serialize();
        return address.Size > 2 && address[2] == 0;
    }

    private sealed class LoopCall(Action action) : ILoopWork
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task Done => _done.Task;

        public void Run()
        {
            try
            {
                action();
                _done.SetResult();
            }
            catch (Exception e)
            {
                _done.SetException(e); // the caller's, who waits for it
            }
        }
    }

    private sealed class ResumeWork(SocketListener listener) : ILoopWork
    {
        public void Run() => listener.Resume();
    }

    private sealed class StartWork(LoopConnectionListener listener, RawSocket raw, LoopConnectionSettings settings) : ILoopWork
    {
        // The connection's loop.
        public void Run()
        {
            IEventLoop loop = settings.Member.Loop;
            var socket = new StreamSocket(loop, HandlerSocketDriver.For(loop).OpenStream(raw), settings.Socket);
            var connection = new LoopConnection(socket, settings);
            socket.Start(connection);
            if (!listener._accepted.Writer.TryWrite(connection))
            {
                connection.Abort(new ConnectionAbortedException("The listener was closed before the connection was accepted."));
                _ = connection.DisposeAsync().AsTask();
            }
        }
    }
}
