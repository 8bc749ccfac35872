namespace LoopBridge.Loops;

/// <summary>Continues awaiting code on its loop, in a later turn, in the order posted.</summary>
internal sealed class LoopSynchronizationContext(EventLoop loop) : SynchronizationContext
{
    public override void Post(SendOrPostCallback d, object? state) => loop.Post(d, state);

    /// <summary>Runs on the loop and waits for it. On the loop's own thread it runs at once.</summary>
    public override void Send(SendOrPostCallback d, object? state)
    {
        if (loop.IsOnLoopThread)
        {
            d(state);
            return;
        }

        var done = new TaskCompletionSource();
        bool posted = loop.Post(_ =>
        {
            try
            {
                d(state);
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e); // it belongs to the sender, who waits for it
            }
        }, null);
        ObjectDisposedException.ThrowIf(!posted, loop);
        done.Task.GetAwaiter().GetResult();
    }

    public override SynchronizationContext CreateCopy() => this;
}
