using LoopBridge.Loops;

namespace LoopBridge.Deferreds;

/// <summary>Deferreds on loops.</summary>
public static class DeferredLoopExtensions
{
    /// <summary>
    /// As <see cref="IEventLoop.AddCallback(Func{Task})"/> for a callback that returns a Deferred: if that fails, the loop tells of it once,
    /// as of an exception of the callback, and does so at once; being cancelled is no failure. Any thread.
    /// </summary>
    /// <remarks>
    /// It has a name of its own because C# would take a lambda for a plain callback and drop the Deferred, whose failure then shows in
    /// <see cref="Deferred.UnhandledFailure"/> when the collector finds it.
    /// </remarks>
    /// <returns>False, and the callback is dropped, if the loop is closed.</returns>
    public static bool AddDeferredCallback(this IEventLoop loop, Func<Deferred> callback)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(callback);
        return TaskCallback.Add(loop, () => callback()?.ToTask()!, callback);
    }
}
