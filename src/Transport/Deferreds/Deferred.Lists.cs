namespace LoopBridge.Deferreds;

// Cancelling any of these cancels the inputs that have not given their result, and then it ends as they do. An exception of one
// canceller is told of at once (UnhandledFailure), and the others are cancelled all the same.
public abstract partial class Deferred
{
    /// <summary>
    /// Waits for several Deferreds, whichever way they end. Cancelling it cancels those that have no result yet. Twisted:
    /// <c>DeferredList</c>.
    /// </summary>
    /// <typeparam name="T">The type of their values.</typeparam>
    /// <param name="deferreds">The Deferreds. Their results stay in them.</param>
    /// <param name="consumeErrors">
    /// Whether their failures count as handled by this; handlers added to them later then see default. Defaults to false: each failure
    /// is still theirs to handle.
    /// </param>
    /// <returns>Fires with their results in the order given when the last one has its own; at once if there are none.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="deferreds"/>, or one of them, is null.</exception>
    public static Deferred<IReadOnlyList<DeferredResult<T>>> All<T>(IEnumerable<Deferred<T>> deferreds, bool consumeErrors = false)
        => new AllInputs<T>(deferreds, consumeErrors).Outcome;

    /// <summary>
    /// Waits for the values of several Deferreds, or for the first failure. Cancelling it cancels those that have no result yet.
    /// Twisted: <c>gatherResults</c>, and <c>DeferredList</c> with <c>fireOnOneErrback</c>.
    /// </summary>
    /// <inheritdoc cref="All" path="/typeparam"/>
    /// <inheritdoc cref="All" path="/param"/>
    /// <inheritdoc cref="All" path="/exception"/>
    /// <returns>
    /// Fires with the values in the order given; at once if there are none. Fails with a <see cref="FirstErrorException"/> as soon as
    /// one fails, and leaves the others to themselves.
    /// </returns>
    public static Deferred<IReadOnlyList<T>> Gather<T>(IEnumerable<Deferred<T>> deferreds, bool consumeErrors = false)
        => new GatherInputs<T>(deferreds, consumeErrors).Outcome;

    /// <summary>
    /// Waits for the first of several Deferreds that succeeds, and leaves the others to themselves. Cancelling it cancels those that
    /// have no result yet. Twisted: <c>DeferredList</c> with <c>fireOnOneCallback</c>.
    /// </summary>
    /// <inheritdoc cref="All" path="/typeparam"/>
    /// <param name="deferreds">The Deferreds. Their results stay in them.</param>
    /// <param name="failFast">Whether the first failure ends the wait, as in <see cref="Gather"/>. Defaults to false.</param>
    /// <param name="consumeErrors">Whether their failures count as handled by this. Defaults to false.</param>
    /// <returns>
    /// Fires with the first value. If all fail, it fails with an <see cref="AggregateException"/> of their failures in the order given.
    /// </returns>
    /// <inheritdoc cref="All" path="/exception"/>
    /// <exception cref="ArgumentException">There are none: none could ever be the first.</exception>
    public static Deferred<IndexedValue<T>> First<T>(
        IEnumerable<Deferred<T>> deferreds, bool failFast = false, bool consumeErrors = false)
        => new FirstInput<T>(deferreds, failFast, consumeErrors).Outcome;

    /// <summary>
    /// Waits for the first of several Deferreds that succeeds, and cancels the others: their results are of no use to anybody.
    /// Cancelling it cancels all. Twisted: <c>race</c>.
    /// </summary>
    /// <inheritdoc cref="All" path="/typeparam"/>
    /// <param name="deferreds">The Deferreds. Their results are taken over: what the others still produce is ignored.</param>
    /// <returns>
    /// Fires with the first value. If all fail, it fails with an <see cref="AggregateException"/> of their failures in the order given;
    /// so does a cancelled one, with their cancellations.
    /// </returns>
    /// <inheritdoc cref="First" path="/exception"/>
    public static Deferred<IndexedValue<T>> Race<T>(IEnumerable<Deferred<T>> deferreds) => new RacingInputs<T>(deferreds).Outcome;
}
