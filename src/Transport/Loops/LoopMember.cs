using Microsoft.Extensions.Logging;

namespace LoopBridge.Loops;

/// <summary>One loop of a group, with its thread and the count of connections placed on it.</summary>
public sealed class LoopMember
{
    private readonly ILoopEngine _engine;
    private Thread? _thread;
    private int _connections;

    internal LoopMember(int number, ILoopEngine engine)
    {
        Number = number;
        _engine = engine;
    }

    /// <summary>Its place in the group, from zero.</summary>
    public int Number { get; }

    /// <summary>The loop.</summary>
    public IEventLoop Loop => _engine.Loop;

    /// <summary>Connections placed here and not yet released. Any thread.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>What the loop has done so far. Any thread.</summary>
    public LoopStatistics GetStatistics() => _engine.GetStatistics();

    /// <summary>How long a callback waits on this loop now. Any thread.</summary>
    /// <exception cref="ObjectDisposedException">The loop is closed.</exception>
    public Task<TimeSpan> MeasureLagAsync()
    {
        var ran = new TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously);
        TimeSpan posted = Loop.Time;
        bool queued = Loop.AddCallback(() => ran.SetResult(Loop.Time - posted));
        ObjectDisposedException.ThrowIf(!queued, Loop);
        return ran.Task;
    }

    /// <summary>Counts one connection less. Any thread.</summary>
    public void Release() => Interlocked.Decrement(ref _connections);

    /// <summary>
    /// Runs <paramref name="guest"/> on the loop's thread when the callback or handler that runs now has returned, before the next one of
    /// the turn. Guests run in the order of invitation. Loop thread; a guest is not on it.
    /// </summary>
    /// <exception cref="InvalidOperationException">The loop runs on another thread, or a guest has this one.</exception>
    internal void Invite(ILoopGuest guest) => _engine.Invite(guest);

    internal void Retain() => Interlocked.Increment(ref _connections);

    internal void StartThread()
    {
        _thread = new Thread(static engine => ((ILoopEngine)engine!).Run())
        {
            Name = $"LoopBridge {_engine.Name}",
            IsBackground = true,
        };

        // The ambient context of whoever happened to come first is nobody else's business.
        _thread.UnsafeStart(_engine);
    }

    internal void RequestStop()
    {
        if (_thread is not null)
        {
            _engine.Stop();
        }
    }

    internal void Close(ILogger logger)
    {
        if (_thread is not null && !_thread.Join(StopLimit))
        {
            // A handler blocks the loop. The process is on its way out and must not hang for it; the thread is a background one.
            logger.LoopStuck(_engine.Name, StopLimit);
            return;
        }

        _engine.Dispose();
    }

    // As long as Kestrel gives its connections after an abort, and then some.
    private static TimeSpan StopLimit => TimeSpan.FromSeconds(5);
}
