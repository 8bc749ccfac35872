using System.Diagnostics.CodeAnalysis;
using LoopBridge.Loops;

namespace LoopBridge.Coordination;

/// <summary>
/// Gives the results of several awaitables one by one, in the order in which they end, and tells which one each came from. Descends from
/// Tornado's <c>gen.WaitIterator</c>.
/// </summary>
/// <remarks>
/// Everything belongs to the loop's thread; a call from elsewhere throws <see cref="InvalidOperationException"/>. Nothing but its inputs
/// keeps it alive: it is collected with them.
/// </remarks>
/// <typeparam name="TKey">What tells the inputs apart: a key of a map, or an index of a list.</typeparam>
/// <typeparam name="T">The type of the results.</typeparam>
/// <example><code>
/// var answers = WaitIterator.Over(loop, servers.Select(AskAsync));
/// while (!answers.IsDone)
/// {
///     string answer = await answers.NextAsync();
///     Console.WriteLine($"{servers[answers.CurrentKey]} says {answer}");
/// }
/// </code></example>
[SuppressMessage("Naming", "CA1710", Justification = "Tornado's term; it is no collection, and each result is given once.")]
public sealed class WaitIterator<TKey, T> : IAsyncEnumerable<KeyValuePair<TKey, T>>
{
    private readonly IEventLoop _loop;
    private readonly LoopQueue<KeyValuePair<TKey, Task<T>>> _ended;
    private int _left;
    private KeyValuePair<TKey, Task<T>>? _current;

    internal WaitIterator(IEventLoop loop, IEnumerable<KeyValuePair<TKey, Task<T>>> inputs)
    {
        _loop = loop;
        _ended = new LoopQueue<KeyValuePair<TKey, Task<T>>>(loop);
        foreach (KeyValuePair<TKey, Task<T>> input in inputs)
        {
            _left++;
            Watch(input);
        }
    }

    /// <summary>Whether every result has been asked for.</summary>
    public bool IsDone => _left == 0;

    /// <summary>Which input the last result, or exception, of <see cref="NextAsync"/> came from.</summary>
    /// <exception cref="InvalidOperationException">There was none yet.</exception>
    public TKey CurrentKey => Current.Key;

    /// <summary>The Task of that input; of a Deferred, one that ended with it.</summary>
    /// <exception cref="InvalidOperationException">There was none yet.</exception>
    public Task<T> CurrentTask => Current.Value;

    private KeyValuePair<TKey, Task<T>> Current => _current ?? throw new InvalidOperationException("NextAsync has given nothing yet.");

    /// <summary>
    /// Waits for the next input to end, and gives its result or throws its exception; the ones after it can still be had.
    /// </summary>
    /// <exception cref="InvalidOperationException">All have been given, or this is not the loop's thread.</exception>
    public async ValueTask<T> NextAsync()
    {
        LoopAffinity.Verify(_loop, "WaitIterator");
        if (IsDone)
        {
            throw new InvalidOperationException("The wait iterator has given all its results: look at IsDone first.");
        }

        _left--;
        KeyValuePair<TKey, Task<T>> ended = await _ended.GetAsync();
        _current = ended;
        return await ended.Value;
    }

    /// <summary>
    /// The results that are left, with their keys. An exception of an input ends the enumeration; another one goes on after it.
    /// </summary>
    /// <param name="cancellationToken">Ends the enumeration before the next result.</param>
    public async IAsyncEnumerator<KeyValuePair<TKey, T>> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        while (!IsDone)
        {
            cancellationToken.ThrowIfCancellationRequested();
            T result = await NextAsync();
            yield return KeyValuePair.Create(CurrentKey, result);
        }
    }

    private void Watch(KeyValuePair<TKey, Task<T>> input)
    {
        if (input.Value.IsCompleted)
        {
            _ended.PutNow(input); // in the order of the list, before any that ends later
            return;
        }

        input.Value.ContinueWith(
            _ => _loop.AddCallback(() => _ended.PutNow(input)), // from whichever thread it ends on
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}

/// <summary>Makes wait iterators. On the loop's thread.</summary>
public static class WaitIterator
{
    /// <summary>Over a list of Tasks, told apart by their index.</summary>
    /// <typeparam name="T">The type of the results.</typeparam>
    /// <param name="loop">The loop.</param>
    /// <param name="tasks">The Tasks; they may end on any thread.</param>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public static WaitIterator<int, T> Over<T>(IEventLoop loop, IEnumerable<Task<T>> tasks)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        return Over(loop, tasks.Index().Select(pair => KeyValuePair.Create(pair.Index, (LoopAwaitable<T>)pair.Item)));
    }

    /// <summary>Over a list of Tasks and Deferreds, told apart by their index.</summary>
    /// <inheritdoc cref="Over{T}(IEventLoop, IEnumerable{Task{T}})" path="/typeparam|/exception"/>
    /// <param name="loop">The loop.</param>
    /// <param name="awaitables">Tasks and Deferreds, mixed.</param>
    public static WaitIterator<int, T> Over<T>(IEventLoop loop, IEnumerable<LoopAwaitable<T>> awaitables)
    {
        ArgumentNullException.ThrowIfNull(awaitables);
        return Over(loop, awaitables.Index().Select(pair => KeyValuePair.Create(pair.Index, pair.Item)));
    }

    /// <summary>Over a map of Tasks and Deferreds, told apart by their key.</summary>
    /// <typeparam name="TKey">The type of the keys.</typeparam>
    /// <typeparam name="T">The type of the results.</typeparam>
    /// <param name="loop">The loop.</param>
    /// <param name="awaitables">Tasks and Deferreds, mixed.</param>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public static WaitIterator<TKey, T> Over<TKey, T>(IEventLoop loop, IEnumerable<KeyValuePair<TKey, LoopAwaitable<T>>> awaitables)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(awaitables);
        LoopAffinity.Verify(loop, "WaitIterator");
        return new(loop, awaitables.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Task)));
    }
}
