using System.Runtime.CompilerServices;

namespace LoopBridge.Deferreds;

public sealed partial class Deferred<T>
{
    /// <summary>Goes on with a result of another type.</summary>
    /// <typeparam name="TNext">The type that the chain has from here on.</typeparam>
    /// <param name="callback">From the value to the next value.</param>
    /// <param name="errback">From a failure to the next value; null lets a failure pass.</param>
    /// <returns>The Deferred on which the chain goes on. This one's result is taken over.</returns>
    public Deferred<TNext> Then<TNext>(Func<T, TNext> callback, Func<Exception, TNext>? errback = null)
    {
        ArgumentNullException.ThrowIfNull(callback);
        Deferred<TNext> next = Continuation<TNext>();
        AddLink(new MappingLink<T, TNext>(next, callback, errback));
        return next;
    }

    /// <summary>Goes on with the result of a Deferred of another type.</summary>
    /// <typeparam name="TNext">The type that the chain has from here on.</typeparam>
    /// <param name="callback">From the value to a Deferred, which is waited for and taken over.</param>
    /// <param name="errback">From a failure to a Deferred; null lets a failure pass.</param>
    /// <returns>The Deferred on which the chain goes on. This one's result is taken over.</returns>
    [OverloadResolutionPriority(1)]
    public Deferred<TNext> Then<TNext>(Func<T, Deferred<TNext>> callback, Func<Exception, Deferred<TNext>>? errback = null)
    {
        ArgumentNullException.ThrowIfNull(callback);
        Deferred<TNext> next = Continuation<TNext>();
        AddLink(new DeferringMappingLink<T, TNext>(next, callback, errback));
        return next;
    }

    /// <summary>Goes on with the result of a Task, on the loop's thread.</summary>
    /// <typeparam name="TNext">The type that the chain has from here on.</typeparam>
    /// <param name="callback">From the value to a Task; see
    /// <see cref="Deferred.FromTask{T}(Task{T}, SynchronizationContext?, CancellationTokenSource?)"/> for what happens to it.</param>
    /// <returns>The Deferred on which the chain goes on. This one's result is taken over.</returns>
    public Deferred<TNext> Then<TNext>(Func<T, Task<TNext>> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return Then(value => FromTask(callback(value)));
    }

    /// <inheritdoc cref="Then{TNext}(Func{T, Task{TNext}})"/>
    public Deferred<TNext> Then<TNext>(Func<T, ValueTask<TNext>> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return Then(value => FromTask(callback(value)));
    }

    /// <summary>Goes on when an action has run, with no value.</summary>
    /// <param name="callback">The action on the value.</param>
    /// <returns>The Deferred on which the chain goes on. This one's result is taken over.</returns>
    public Deferred<Unit> Then(Action<T> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return Then(value =>
        {
            callback(value);
            return default(Unit);
        });
    }

    /// <summary>Goes on when a Task has ended, with no value.</summary>
    /// <inheritdoc cref="Then{TNext}(Func{T, Task{TNext}})"/>
    public Deferred<Unit> Then(Func<T, Task> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return Then(value => FromTask(callback(value)));
    }

    /// <summary>
    /// Fires another Deferred, made by someone else, with the result of this one, which is taken over. Twisted: <c>chainDeferred</c>.
    /// </summary>
    /// <param name="next">
    /// The other Deferred. If it has been fired when the result comes, this chain fails with <see cref="AlreadyCalledException"/>.
    /// Cancelling it calls its own canceller and leaves this Deferred alone.
    /// </param>
    /// <returns>This Deferred.</returns>
    /// <exception cref="ArgumentException"><paramref name="next"/> is this Deferred.</exception>
    public Deferred<T> ChainDeferred(Deferred<T> next)
    {
        ArgumentNullException.ThrowIfNull(next);
        if (ReferenceEquals(next, this))
            throw new ArgumentException("A Deferred cannot be chained to itself.", nameof(next));

        if (!next.IsFired)
            next.WaitFor(this, cancels: false);
        return AddLink(new ForwardLink<T>(next));
    }

    private Deferred<TNext> Continuation<TNext>()
    {
        var next = new Deferred<TNext>();
        next.WaitFor(this, cancels: true);
        return next;
    }
}
