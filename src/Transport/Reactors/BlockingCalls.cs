namespace LoopBridge.Reactors;

/// <summary>
/// The threads that wait for something from the reactor. When that ends, each of them is let go with an error: the reactor joins its
/// threads then, and both would wait for ever. Any thread.
/// </summary>
internal sealed class BlockingCalls
{
    private readonly Lock _lock = new();
    private readonly HashSet<IBlockingCall> _waiting = [];
    private bool _ended;

    internal T Wait<T>(ReactorBase reactor, Func<Task<T>> function)
    {
        if (reactor.IsInReactorThread)
        {
            throw new InvalidOperationException("The reactor's thread would wait for itself: call the function directly.");
        }

        var call = new Call<T>(function);
        lock (_lock)
        {
            if (_ended)
            {
                throw new ReactorNotRunningException();
            }

            _waiting.Add(call);
        }

        try
        {
            return reactor.CallFromThread(static state => ((Call<T>)state!).Begin(), call)
                ? call.Result.GetAwaiter().GetResult()
                : throw new ReactorNotRunningException();
        }
        finally
        {
            lock (_lock)
            {
                _waiting.Remove(call);
            }
        }
    }

    /// <summary>Lets everybody go, and nobody wait from now on.</summary>
    internal void End()
    {
        IBlockingCall[] waiting;
        lock (_lock)
        {
            _ended = true;
            waiting = [.. _waiting];
        }

        foreach (IBlockingCall call in waiting)
        {
            call.Abandon();
        }
    }

    private interface IBlockingCall
    {
        void Abandon();
    }

    private sealed class Call<T>(Func<Task<T>> function) : IBlockingCall
    {
        private readonly TaskCompletionSource<T> _result = new();

        internal Task<T> Result => _result.Task;

        public void Abandon() => _result.TrySetException(new ReactorNotRunningException());

        /// <summary>Reactor thread.</summary>
        internal void Begin()
        {
            if (Result.IsCompleted)
            {
                return; // abandoned: nobody waits for it
            }

            try
            {
                function().ContinueWith(
                    static (task, state) => ((TaskCompletionSource<T>)state!).TrySetFromTask(task),
                    _result,
                    CancellationToken.None,
                    TaskContinuationOptions.ExecuteSynchronously,
                    TaskScheduler.Default);
            }
            catch (Exception e)
            {
                _result.TrySetException(e); // the caller's to see, on its own thread (R-THR-15)
            }
        }
    }
}
