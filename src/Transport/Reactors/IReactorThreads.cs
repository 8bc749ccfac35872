using LoopBridge.Deferreds;

namespace LoopBridge.Reactors;

/// <summary>
/// The ways into a reactor's thread and out of it. Descends from Twisted's <c>IReactorThreads</c>. Every member may be used from any
/// thread.
/// </summary>
public interface IReactorThreads
{
    /// <summary>Whether the caller is on the thread that runs this reactor now.</summary>
    bool IsInReactorThread { get; }

    /// <summary>
    /// Runs <paramref name="call"/> once on the reactor's thread, in its next turn, under the caller's ambient context, and wakes it for
    /// that. What one thread hands over runs in the order handed over. Before the reactor turns for the first time, calls wait for it.
    /// </summary>
    /// <returns>
    /// False if the reactor is disposed: the call is dropped. A call that was accepted is dropped too if the disposal overtakes it.
    /// </returns>
    bool CallFromThread(Action call);

    /// <inheritdoc cref="CallFromThread(Action)"/>
    /// <param name="call">What to run.</param>
    /// <param name="state">Given to <paramref name="call"/>, so that it needs no closure.</param>
    bool CallFromThread(Action<object?> call, object? state);

    /// <summary>
    /// Runs <paramref name="work"/> on a thread of the pool, under the caller's ambient context. It may block, which makes the shutdown wait
    /// for it. Work given before the reactor runs starts when it does. An exception is reported as from any other callback.
    /// </summary>
    /// <returns>False if the reactor has shut down: the work is dropped.</returns>
    bool CallInThread(Action work);

    /// <summary>
    /// The reactor's own threads, made when first asked for. They start with the reactor, and have ended when its shutdown has; whoever
    /// stops them before gets others from here.
    /// </summary>
    /// <exception cref="ReactorNotRunningException">The reactor has shut down.</exception>
    ReactorThreadPool GetThreadPool();

    /// <summary>Sets how much work runs at the same time. Defaults to <see cref="ReactorThreadPool.DefaultMaximum"/>.</summary>
    /// <param name="size">The most threads of the pool.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is less than one.</exception>
    /// <exception cref="ReactorNotRunningException">The reactor has shut down.</exception>
    void SuggestThreadPoolSize(int size);

    /// <summary>
    /// Runs <paramref name="function"/> on the reactor's thread and blocks until its result is there: for threads of the pool. Before the
    /// reactor runs, the caller waits for that; a crash does not end the wait.
    /// </summary>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <returns>The result; what the function throws is thrown here.</returns>
    /// <exception cref="InvalidOperationException">This is the reactor's thread, which would wait for itself.</exception>
    /// <exception cref="ReactorNotRunningException">The reactor has shut down, or did while the result was waited for.</exception>
    T BlockingCallFromThread<T>(Func<T> function);

    /// <inheritdoc cref="BlockingCallFromThread{T}(Func{T})"/>
    T BlockingCallFromThread<T>(Func<Deferred<T>> function);

    /// <inheritdoc cref="BlockingCallFromThread{T}(Func{T})"/>
    T BlockingCallFromThread<T>(Func<Task<T>> function);
}
