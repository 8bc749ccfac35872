namespace LoopBridge.Loops;

/// <summary>What runs callbacks on one thread, in the order posted: a loop or a reactor.</summary>
internal interface IPostTarget
{
    /// <summary>Whether the caller is on its thread. Any thread.</summary>
    bool IsOnThread { get; }

    /// <summary>
    /// Runs it in the next turn, under no ambient context: what posts brings its own. False, and dropped, if nothing will turn again. Any
    /// thread.
    /// </summary>
    bool Post(SendOrPostCallback callback, object? state);
}

/// <summary>Continues awaiting code on its loop, in a later turn, in the order posted.</summary>
internal sealed class LoopSynchronizationContext(IPostTarget loop) : SynchronizationContext
{
    public override void Post(SendOrPostCallback d, object? state) => loop.Post(d, state);

    /// <summary>Runs on the loop and waits for it. On the loop's own thread it runs at once.</summary>
    public override void Send(SendOrPostCallback d, object? state)
    {
        if (loop.IsOnThread)
        {
            d(state);
            return;
        }

        var request = new SendRequest(d, state);
        ObjectDisposedException.ThrowIf(!loop.Post(static request => ((SendRequest)request!).Run(), request), loop);
        request.Done.GetAwaiter().GetResult();
    }

    public override SynchronizationContext CreateCopy() => this;

    private sealed class SendRequest(SendOrPostCallback callback, object? state) : IDropped
    {
        private readonly TaskCompletionSource _done = new();

        internal Task Done => _done.Task;

        internal void Run()
        {
            try
            {
                callback(state);
                _done.SetResult();
            }
            catch (Exception e)
            {
                _done.SetException(e); // it belongs to the sender, who waits for it
            }
        }

        public void OnDropped() => _done.SetException(new ObjectDisposedException(nameof(IEventLoop)));
    }
}
