using LoopBridge.Loops;

namespace LoopBridge.Handlers;

internal static class LoopInvocation
{
    /// <summary>
    /// Runs <paramref name="work"/> as a callback of the loop, where it continues after each await. The task ends off the loop, with whatever outcome the work had.
    /// </summary>
    internal static Task RunAsync(this IEventLoop loop, Func<Task> work)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bool queued = loop.AddCallback(async () =>
        {
            try
            {
                await work();
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e); // the caller's, who awaits it
            }
        });
        return queued ? done.Task : Task.FromException(new ObjectDisposedException(nameof(IEventLoop), "The loop is closed."));
    }
}
