using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using LoopBridge.Loops;

namespace LoopBridge.Coordination;

/// <summary>
/// Hands items from producers to consumers on one loop, first in, first out. With a maximum size, producers wait while it is full.
/// Descends from Tornado's <c>queues.Queue</c>.
/// </summary>
/// <remarks>
/// <para>Everything belongs to the loop's thread; a call from elsewhere throws <see cref="InvalidOperationException"/>. To put from
/// another thread, go through <see cref="IEventLoop.AddCallback(Action)"/>; between threads, use
/// <see cref="System.Threading.Channels.Channel"/>.</para>
/// <para>Whoever waits is served first come first served, and goes on through the loop, in a later turn: never inside the call that served
/// it. When the loop is closed, whoever still waits never goes on.</para>
/// <para>Who wants to know when all work is done calls <see cref="TaskDone"/> after each item and awaits <see cref="JoinAsync"/>.</para>
/// </remarks>
/// <typeparam name="T">What it holds.</typeparam>
[SuppressMessage("Naming", "CA1711", Justification = "It is a queue; the collection of that name is another kind of thing.")]
[SuppressMessage("Naming", "CA1710", Justification = "It is a queue; its enumeration takes, and ends never.")]
[DebuggerDisplay("{ToString(),nq}")]
public partial class LoopQueue<T> : IAsyncEnumerable<T>
{
    private readonly QueueStore<T> _store;
    private readonly WaitLine<T> _getters;
    private readonly WaitLine<bool> _putters;
    private readonly WaitLine<bool> _joiners;

    /// <summary>Makes a queue.</summary>
    /// <param name="loop">The loop it belongs to.</param>
    /// <param name="maxSize">How many items it holds at most. Defaults to zero: no limit.</param>
    /// <exception cref="ArgumentOutOfRangeException">The maximum size is negative.</exception>
    public LoopQueue(IEventLoop loop, int maxSize = 0) : this(loop, maxSize, new FifoStore<T>())
    {
    }

    private protected LoopQueue(IEventLoop loop, int maxSize, QueueStore<T> store)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentOutOfRangeException.ThrowIfNegative(maxSize);
        Loop = loop;
        MaxSize = maxSize;
        _store = store;
        _getters = new WaitLine<T>(loop, "an item of a queue");
        _putters = new WaitLine<bool>(loop, "room in a queue");
        _joiners = new WaitLine<bool>(loop, "the items of a queue to be done");
    }

    /// <summary>The loop it belongs to.</summary>
    public IEventLoop Loop { get; }

    /// <summary>How many items it holds at most; zero: no limit.</summary>
    public int MaxSize { get; }

    /// <summary>How many items it holds.</summary>
    public int Count => _store.Count;

    /// <summary>Whether it holds nothing.</summary>
    public bool IsEmpty => Count == 0;

    /// <summary>Whether a put would wait.</summary>
    public bool IsFull => MaxSize > 0 && Count >= MaxSize;

    /// <summary>How many wait for room.</summary>
    public int WaitingPuts => _putters.Count;

    /// <summary>How many wait for an item.</summary>
    public int WaitingGets => _getters.Count;

    /// <summary>Items put, and not yet marked by <see cref="TaskDone"/>. Those that wait for room do not count.</summary>
    public int UnfinishedTasks { get; private set; }

    /// <summary>Marks one item that was taken as done. The last of them lets those go on who await <see cref="JoinAsync"/>.</summary>
    /// <exception cref="InvalidOperationException">
    /// It was called more often than items were put, or this is not the loop's thread.
    /// </exception>
    public void TaskDone()
    {
        VerifyAccess();
        if (UnfinishedTasks == 0)
        {
            throw new InvalidOperationException("TaskDone was called more often than items were put.");
        }

        if (--UnfinishedTasks > 0)
        {
            return;
        }

        while (_joiners.TakeFirst() is { } joiner)
        {
            joiner.Succeed(true);
        }
    }

    /// <summary>Waits until every item that was put is marked by <see cref="TaskDone"/>; goes on at once if all are.</summary>
    /// <param name="timeout">
    /// How long to wait at most, by the loop's clock. Null, the default, and <see cref="Timeout.InfiniteTimeSpan"/> set no limit; any
    /// other negative span is over already.
    /// </param>
    /// <param name="cancellationToken">Ends the wait, also from another thread.</param>
    /// <exception cref="TimeoutException">The time was over first.</exception>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public ValueTask JoinAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        VerifyAccess();
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        return UnfinishedTasks == 0 ? ValueTask.CompletedTask : _joiners.Join(timeout, cancellationToken).End;
    }

    /// <summary>Its sizes and who waits, for people; the form may change.</summary>
    public override string ToString()
    {
        string limit = MaxSize > 0 ? $" of {MaxSize}" : "";
        string name = GetType().Name.Split('`')[0];
        return $"{name}<{typeof(T).Name}>: {Count}{limit} items, {WaitingPuts} puts and {WaitingGets} gets waiting, "
            + $"{UnfinishedTasks} tasks unfinished";
    }

    private void VerifyAccess() => LoopAffinity.Verify(Loop, "LoopQueue");
}
