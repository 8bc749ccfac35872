using System.Net;
using System.Runtime.ExceptionServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Sockets;

namespace LoopBridge.Streams;

public partial class LoopTcpServer
{
    private readonly HashSet<LoopStream> _live = [];
    private TaskCompletionSource? _drained;
    private volatile int _liveCount;
    private bool _fullTold;

    /// <summary>How many connections are live: their handler has not ended, or what it wrote is still being sent.</summary>
    public int ConnectionCount => _liveCount;

    /// <summary>Whether accepting has to wait for a connection to end. Loop thread.</summary>
    internal bool IsFull { get; private set; }

    /// <summary>
    /// Stops as <see cref="Stop"/> does, and waits until the live connections have ended by themselves; when the time is over, or the token
    /// fires, those that are left are aborted. Done when they are closed. Within a handler it waits for that handler, too.
    /// </summary>
    /// <param name="grace">How long to wait at most, by the loop's clock. Defaults to as long as they take.</param>
    /// <param name="cancellationToken">Ends the waiting; it is no failure.</param>
    public async Task StopAsync(TimeSpan? grace = null, CancellationToken cancellationToken = default)
    {
        Stop();
        await OnLoopAsync(async () =>
        {
            using var limit = new LoopDeadline(Loop, grace, cancellationToken);
            try
            {
                await WaitUntilDrainedAsync().WaitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                // The grace is over: expected wherever a peer never finishes.
            }

            await AbortAllAsync();
        }).ConfigureAwait(false);
    }

    /// <summary>
    /// Aborts all live connections: their handlers see a <see cref="StreamClosedException"/>. Accepting goes on unless the server was
    /// stopped. Done when they are closed, whatever the handlers still do.
    /// </summary>
    public Task CloseAllConnectionsAsync() => OnLoopAsync(AbortAllAsync);

    /// <summary>Stops, and aborts what is live.</summary>
    public async ValueTask DisposeAsync()
    {
        Stop();
        if (_liveCount > 0)
        {
            await CloseAllConnectionsAsync().ConfigureAwait(false);
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// Serves one connection, on the loop's thread. When the task ends, the connection is closed, after sending what was written. With TLS
    /// it is called before the handshake is done; what is read and written waits for it.
    /// </summary>
    /// <param name="stream">The connection.</param>
    protected virtual Task HandleStreamAsync(LoopStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return _handler is not null
            ? _handler(stream)
            : throw new InvalidOperationException($"Override {nameof(HandleStreamAsync)}, or give the constructor a handler.");
    }

    // On the loop's thread, in the middle of a batch: whatever happens to one connection must not reach the next.
    internal void Accept(RawSocket raw)
    {
        LoopStream stream = LoopStream.FromSocket(Loop, raw, _options.Stream);
        _live.Add(stream);
        _liveCount = _live.Count;
        if (_liveCount >= _options.MaxConnections)
        {
            PauseAll();
        }

        LoopResumption.Run(Loop, static call => _ = call.server.ServeAsync(call.stream), (server: this, stream));
    }

    // What closes or watches the stream reaches the one with TLS, too, also when it is the handler that upgrades it.
    private async Task ServeAsync(LoopStream stream)
    {
        EndPoint? peer = stream.RemoteEndPoint;
        EndPoint? local = stream.LocalEndPoint;
        try
        {
            Task served = HandleStreamAsync(_tls is null ? stream : stream.StartTls(_tls, _options.HandshakeTimeout))
                ?? throw new InvalidOperationException($"{nameof(HandleStreamAsync)} returned no task.");
            await served;
        }
        catch (StreamClosedException e) when (stream.IsClosed)
        {
            Logger.StreamHandlerEnded(peer, local, e.Message); // expected: the peer has finished, or the server is being stopped
        }
        catch (Exception e)
        {
            stream.Abort();
            Report(e, peer, local);
        }

        await stream.CloseAsync();
        Forget(stream);
    }

    // To the log; without one to the loop, which reports whatever escapes its callbacks.
    private void Report(Exception exception, EndPoint? peer, EndPoint? local)
    {
        if (_options.Logger is { } logger)
        {
            logger.StreamHandlerFailed(exception, peer, local);
        }
        else
        {
            Loop.AddCallback(static escaped => ((ExceptionDispatchInfo)escaped!).Throw(), ExceptionDispatchInfo.Capture(exception));
        }
    }

    private void Forget(LoopStream stream)
    {
        _live.Remove(stream);
        _liveCount = _live.Count;
        _fullTold &= _liveCount * 2 >= _options.MaxConnections;
        if (_liveCount == 0)
        {
            _drained?.TrySetResult();
        }

        if (IsFull && _liveCount < _options.MaxConnections)
        {
            ResumeAll();
        }
    }

    private void PauseAll()
    {
        IsFull = true;
        Ports().ForEach(static port => port.Pause());
        if (!_fullTold)
        {
            _fullTold = true; // once, until more than half of them have gone: at the limit each connection would tell it again
            Logger.ServerFull(_liveCount);
        }
    }

    private void ResumeAll()
    {
        IsFull = false;
        foreach (LoopServerPort port in Ports())
        {
            if (!IsFull)
            {
                port.Resume(); // accepts at once, and may fill the server again
            }
        }
    }

    private List<LoopServerPort> Ports()
    {
        lock (_gate)
        {
            return [.. _ports];
        }
    }

    private Task WaitUntilDrainedAsync()
    {
        if (_live.Count == 0)
        {
            return Task.CompletedTask;
        }

        if (_drained is not { Task.IsCompleted: false })
        {
            _drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return _drained.Task;
    }

    private Task AbortAllAsync()
    {
        LoopStream[] live = [.. _live];
        foreach (LoopStream stream in live)
        {
            stream.Abort();
        }

        return Task.WhenAll(live.Select(static stream => stream.CloseAsync().AsTask()));
    }

    private async Task OnLoopAsync(Func<Task> function)
    {
        try
        {
            await LoopCall.InvokeAsync(Loop, async () =>
            {
                await function();
                return true;
            }).ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // The loop is closed, and the connections with it.
        }
    }
}
