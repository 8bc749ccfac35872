namespace LoopBridge.Deferreds;

public abstract partial class Deferred
{
    /// <summary>
    /// Lets <see langword="await"/> wait for the end, whatever the type of the value. The failure, if it is one, is thrown.
    /// </summary>
    /// <returns>The awaiter.</returns>
    public DeferredAwaiter GetAwaiter() => new(this);

    /// <summary>Makes a Task of it that ends as it does, without the value; see <see cref="Deferred{T}.ToTask()"/>.</summary>
    /// <returns>The Task.</returns>
    public Task ToTask() => ToUntypedTask();

    /// <summary>
    /// Makes a Task of it that ends as it does, without the value, and can be cancelled; see
    /// <see cref="Deferred{T}.ToTask(CancellationToken, SynchronizationContext?)"/>.
    /// </summary>
    /// <param name="cancellationToken">Cancels the Deferred and the Task.</param>
    /// <param name="context">Brings the cancellation to the loop. Defaults to the current one.</param>
    /// <returns>The Task.</returns>
    /// <exception cref="InvalidOperationException">The token can be cancelled, and there is no context.</exception>
    public Task ToTask(CancellationToken cancellationToken, SynchronizationContext? context = null)
        => ToUntypedTask(context, cancellationToken);

    /// <summary>Throws the failure, if the result is one, and counts it as handled.</summary>
    internal abstract void ObserveOutcome();

    internal abstract void OnSettled(Action continuation);

    private protected abstract Task ToUntypedTask();

    private protected abstract Task ToUntypedTask(SynchronizationContext? context, CancellationToken cancellationToken);
}
