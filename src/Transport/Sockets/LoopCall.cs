using LoopBridge.Loops;

namespace LoopBridge.Sockets;

/// <summary>Loop code on behalf of a caller on any thread.</summary>
internal static class LoopCall
{
    /// <summary>
    /// Runs <paramref name="function"/> as a callback of the loop, where it continues after each await. The task always ends: with an
    /// <see cref="ObjectDisposedException"/> if the loop is closed before the function has.
    /// </summary>
    internal static Task<T> InvokeAsync<T>(IEventLoop loop, Func<Task<T>> function)
    {
        var call = new Call<T>(loop, function);
        if (!loop.AddCallback(static state => ((Call<T>)state!).Run(), call))
        {
            call.OnDropped();
        }

        return call.Done;
    }

    private sealed class Call<T>(IEventLoop loop, Func<Task<T>> function) : IDropped, IDisposable
    {
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task<T> Done => _done.Task;

        internal async void Run()
        {
            loop.Own(this);
            try
            {
                T result = await function();
                _done.TrySetResult(result);
            }
            catch (OperationCanceledException e)
            {
                _done.TrySetCanceled(e.CancellationToken);
            }
            catch (Exception e)
            {
                _done.TrySetException(e); // the caller's, who awaits it
            }

            loop.Disown(this);
        }

        public void OnDropped() => _done.TrySetException(new ObjectDisposedException(nameof(IEventLoop), "The loop is closed."));

        // The loop is closed, and the continuations of the function with it.
        public void Dispose() => OnDropped();
    }
}
