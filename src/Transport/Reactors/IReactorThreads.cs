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
    /// Runs <paramref name="work"/> on a thread of the pool, under the caller's ambient context. It may block. Work given before the
    /// reactor runs starts when it does. An exception is reported as from any other callback.
    /// </summary>
    /// <returns>False if the reactor has shut down: the work is dropped.</returns>
    bool CallInThread(Action work);
}
