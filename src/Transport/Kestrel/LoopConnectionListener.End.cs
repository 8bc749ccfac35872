using LoopBridge.Loops;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Kestrel;

/// <remarks>
/// <para>A stop loses none of those who are connected as far as they can know (K-38): what waits in the kernel's queue when the end
/// begins is accepted before the socket is closed, and what was accepted is handed out before the end shows as null. So a client is
/// either served or refused, but for the instant between the last look at the queue and the close. Two kinds are left in the queue:
/// what belongs to a descriptor that others go on listening on, which is the successor's, and what would be more than the endpoint may
/// have.</para>
/// <para>A loop that is held by a handler cannot be asked to close anything. The end then waits for a while, and goes on without it: the
/// process must not hang for one handler. The socket is closed when the loop is free.</para>
/// </remarks>
internal sealed partial class LoopConnectionListener
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _unbind;
    private int _starting = 1; // one for the listener itself
    private int _disposed;

    /// <summary>How long the end waits for a loop.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Whoever calls, in whatever order, waits for the same end. The first caller's token cuts the grace short; nothing else here takes
    /// long, and Kestrel may pass a cancelled one.
    /// </summary>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            return new ValueTask(_unbind ??= UnbindCoreAsync(cancellationToken));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await UnbindAsync().ConfigureAwait(false);
        _accepted.Writer.TryComplete();
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

    private async Task UnbindCoreAsync(CancellationToken cancellationToken)
    {
        Task closed = RunOnLoop(Close);
        try
        {
            await closed.WaitAsync(Patience, CancellationToken.None).ConfigureAwait(false);
            await _ended.Task.WaitAsync(Patience, CancellationToken.None).ConfigureAwait(false);
            _ = EndWhenBegunAsync(cancellationToken);
        }
        catch (TimeoutException)
        {
            _logger.ListenerHeld(EndPoint, Patience);
            _accepted.Writer.TryComplete(); // what is started later finds it so, and ends
        }
    }

    // The accepting loop's thread.
    private void Close()
    {
        try
        {
            // Before the queue is emptied: nobody finds a name any more behind which nobody accepts.
            _socket.RemoveName();
            if (!_socket.IsShared)
            {
                _listener.Drain(() => _limit is not { IsFull: true });
            }
        }
        finally
        {
            _listener.Dispose();
            _socket.Dispose();
            LetGo();
            OnStarted();
        }
    }

    /// <summary>
    /// A connection is started on its loop, or the listener will start no more. After the last of them nothing comes. Any thread.
    /// </summary>
    private void OnStarted()
    {
        if (Interlocked.Decrement(ref _starting) == 0)
        {
            _ended.SetResult();
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
}
