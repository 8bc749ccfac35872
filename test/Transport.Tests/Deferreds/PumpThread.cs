using System.Collections.Concurrent;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Deferreds;

/// <summary>A thread that runs what is posted to it, as a loop does: all that Deferreds need to know of one.</summary>
internal sealed class PumpThread : SynchronizationContext, IDisposable
{
    private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> _posted = [];
    private readonly Thread _thread;

    public PumpThread()
    {
        _thread = new Thread(Pump) { IsBackground = true };
        _thread.Start();
    }

    public int Posts { get; private set; }

    public bool IsCurrent => Thread.CurrentThread == _thread;

    public override void Post(SendOrPostCallback d, object? state) => _posted.Add((d, state));

    /// <summary>Runs a function on the thread and hands out what it returns.</summary>
    public Task<T> Invoke<T>(Func<T> function)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(_ =>
        {
            try
            {
                done.SetResult(function());
            }
            catch (Exception exception)
            {
                // The test that asked fails with it.
                done.SetException(exception);
            }
        }, null);
        return done.Task.WithDeadline();
    }

    public Task Invoke(Action action) => Invoke(() =>
    {
        action();
        return true;
    });

    public void Dispose()
    {
        _posted.CompleteAdding();
        Assert.True(_thread.Join(Deadline.Default));
        _posted.Dispose();
    }

    private void Pump()
    {
        SetSynchronizationContext(this);
        foreach ((SendOrPostCallback callback, object? state) in _posted.GetConsumingEnumerable())
        {
            Posts++;
            callback(state);
        }
    }
}
