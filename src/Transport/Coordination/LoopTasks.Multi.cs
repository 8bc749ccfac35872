using LoopBridge.Loops;

namespace LoopBridge.Coordination;

public static partial class LoopTasks
{
    /// <summary>Waits for all of them. Tornado: <c>gen.multi</c>.</summary>
    /// <remarks>
    /// Unlike <see cref="Task.WhenAll(IEnumerable{Task})"/> it loses nothing: when all have ended, the first error in the order of the
    /// list is thrown, and each further one goes to <see cref="IEventLoop.ExceptionHandler"/>. Cancellations are thrown, but not told of.
    /// The same awaitable may stand there more than once.
    /// </remarks>
    /// <typeparam name="T">The type of the results.</typeparam>
    /// <param name="loop">The loop.</param>
    /// <param name="awaitables">Tasks and Deferreds, mixed. If it is empty, the result is there at once.</param>
    /// <param name="quiet">Types of exceptions, with those derived from them, that are not worth telling of beside the first.</param>
    /// <returns>The results, in the order of the list.</returns>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public static Task<T[]> MultiAsync<T>(
        this IEventLoop loop, IEnumerable<LoopAwaitable<T>> awaitables, IReadOnlyCollection<Type>? quiet = null)
    {
        ArgumentNullException.ThrowIfNull(awaitables);
        return AllAsync(loop, [.. awaitables.Select(awaitable => awaitable.Task)], quiet);
    }

    /// <inheritdoc cref="MultiAsync{T}(IEventLoop, IEnumerable{LoopAwaitable{T}}, IReadOnlyCollection{Type})"/>
    public static Task<T[]> MultiAsync<T>(this IEventLoop loop, IEnumerable<Task<T>> awaitables, IReadOnlyCollection<Type>? quiet = null)
    {
        ArgumentNullException.ThrowIfNull(awaitables);
        return AllAsync(loop, [.. awaitables], quiet);
    }

    /// <summary>Waits for all of them; see the form with results.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="awaitables">The Tasks.</param>
    /// <param name="quiet">Types of exceptions that are not worth telling of beside the first.</param>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public static Task MultiAsync(this IEventLoop loop, IEnumerable<Task> awaitables, IReadOnlyCollection<Type>? quiet = null)
    {
        ArgumentNullException.ThrowIfNull(awaitables);
        Task[] tasks = [.. awaitables];
        Verify(loop, tasks);
        return EndAsync(loop, tasks, quiet);
    }

    /// <summary>Waits for all values of a map, and gives a map of their results; see the form for lists.</summary>
    /// <typeparam name="TKey">The type of the keys.</typeparam>
    /// <typeparam name="T">The type of the results.</typeparam>
    /// <param name="loop">The loop.</param>
    /// <param name="awaitables">Tasks and Deferreds, mixed.</param>
    /// <param name="quiet">Types of exceptions that are not worth telling of beside the first.</param>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public static Task<Dictionary<TKey, T>> MultiAsync<TKey, T>(
        this IEventLoop loop, IEnumerable<KeyValuePair<TKey, LoopAwaitable<T>>> awaitables, IReadOnlyCollection<Type>? quiet = null)
        where TKey : notnull
    {
        ArgumentNullException.ThrowIfNull(awaitables);
        return MapAsync(loop, [.. awaitables.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Task))], quiet);
    }

    /// <inheritdoc cref="MultiAsync{TKey, T}(IEventLoop, IEnumerable{KeyValuePair{TKey, LoopAwaitable{T}}}, IReadOnlyCollection{Type})"/>
    public static Task<Dictionary<TKey, T>> MultiAsync<TKey, T>(
        this IEventLoop loop, IEnumerable<KeyValuePair<TKey, Task<T>>> awaitables, IReadOnlyCollection<Type>? quiet = null)
        where TKey : notnull
    {
        ArgumentNullException.ThrowIfNull(awaitables);
        return MapAsync(loop, [.. awaitables], quiet);
    }

    private static Task<T[]> AllAsync<T>(IEventLoop loop, Task<T>[] tasks, IReadOnlyCollection<Type>? quiet)
    {
        Verify(loop, tasks);
        return Results();

        async Task<T[]> Results()
        {
            await EndAsync(loop, tasks, quiet).ConfigureAwait(false);
            return [.. tasks.Select(task => task.Result)];
        }
    }

    private static Task<Dictionary<TKey, T>> MapAsync<TKey, T>(
        IEventLoop loop, KeyValuePair<TKey, Task<T>>[] pairs, IReadOnlyCollection<Type>? quiet)
        where TKey : notnull
    {
        Task<T>[] tasks = [.. pairs.Select(pair => pair.Value)];
        Verify(loop, tasks);
        return Results();

        async Task<Dictionary<TKey, T>> Results()
        {
            await EndAsync(loop, tasks, quiet).ConfigureAwait(false);
            return pairs.ToDictionary(pair => pair.Key, pair => pair.Value.Result);
        }
    }

    private static void Verify(IEventLoop loop, Task?[] tasks)
    {
        ArgumentNullException.ThrowIfNull(loop);
        LoopAffinity.Verify(loop, "wait for many");
        if (tasks.Contains(null))
        {
            throw NotAwaitableException.For(null);
        }
    }

    private static async Task EndAsync(IEventLoop loop, Task[] tasks, IReadOnlyCollection<Type>? quiet)
    {
        await Task.WhenAll(tasks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // One that stands there twice, or a Deferred that was converted twice, is one error.
        Task[] failed = [.. tasks
            .Where(task => !task.IsCompletedSuccessfully)
            .DistinctBy(task => (object?)task.Exception?.InnerException ?? task, ReferenceEqualityComparer.Instance)];
        foreach (Task task in failed.Skip(1))
        {
            QuietTypes.ReportUnlessQuiet(loop, task, quiet);
        }

        failed.FirstOrDefault()?.GetAwaiter().GetResult();
    }
}
