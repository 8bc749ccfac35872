using LoopBridge.Loops;

namespace LoopBridge.Handlers;

internal static class LoopInvocation
{
    /// <summary>
    /// Runs <paramref name="work"/> as a callback of the loop, where it continues after each await. The task ends off the loop, with
    /// whatever outcome the work had, or with a <see cref="LoopClosedException"/> if the loop is closed before it begins.
    /// </summary>
    internal static Task RunAsync(this IEventLoop loop, Func<Task> work)
    {
        var invocation = new Invocation(work);
        return loop.AddCallback(static state => ((Invocation)state!).Run(), invocation)
            ? invocation.Done
            : Task.FromException(new LoopClosedException());
    }

    private sealed class Invocation(Func<Task> work) : IDropped
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task Done => _done.Task;

        internal async void Run()
        {
            try
            {
                await work();
                _done.SetResult();
            }
            catch (Exception e)
            {
                _done.SetException(e); // the caller's, who awaits it
            }
        }

        public void OnDropped() => _done.SetException(new LoopClosedException());
    }
}

/// <summary>The loop was closed first: the host is gone or on its way.</summary>
internal sealed class LoopClosedException() : ObjectDisposedException(nameof(IEventLoop), "The loop is closed.");
