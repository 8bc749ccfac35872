using LoopBridge.Deferreds;
using LoopBridge.Loops;

namespace LoopBridge.Coordination;

/// <summary>
/// What asynchronous code on a loop is put together with: pauses, limits, waiting for many. By the loop's clock and timeouts, never by
/// timers of the thread pool, so that a clock of one's own rules here too. Descends from Tornado's <c>gen</c> module.
/// </summary>
/// <remarks>Everything belongs to the loop's thread; a call from elsewhere throws <see cref="InvalidOperationException"/>.</remarks>
public static partial class LoopTasks
{
    /// <summary>Lets the loop run one turn: callbacks, timeouts and I/O of others come first. Tornado: <c>gen.moment</c>.</summary>
    /// <param name="loop">The loop. Any thread; the code goes on there.</param>
    public static LoopMoment Moment(this IEventLoop loop)
    {
        ArgumentNullException.ThrowIfNull(loop);
        return new LoopMoment(loop);
    }

    /// <summary>Waits for some time.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="duration">
    /// How long, by the loop's clock. Zero and less: until the next turn. <see cref="Timeout.InfiniteTimeSpan"/>: until cancelled.
    /// </param>
    /// <param name="cancellationToken">Ends the wait, also from another thread.</param>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public static ValueTask SleepAsync(this IEventLoop loop, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(loop);
        LoopAffinity.Verify(loop, "sleep");
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        var sleeper = new Sleeper(loop);
        sleeper.Limit(duration, cancellationToken);
        return sleeper.End;
    }

    /// <summary>A Task of whatever can be awaited for its end; null stands for a <see cref="Moment"/>.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="awaitable">A Task, a <see cref="ValueTask"/>, a Deferred, or null.</param>
    /// <exception cref="NotAwaitableException">It is something else.</exception>
    public static Task Convert(this IEventLoop loop, object? awaitable)
    {
        ArgumentNullException.ThrowIfNull(loop);
        return awaitable switch
        {
            null => MomentAsync(loop),
            Task task => task,
            ValueTask task => task.AsTask(),
            Deferred deferred => AwaitAsync(deferred),
            _ => throw NotAwaitableException.For(awaitable),
        };
    }

    /// <summary>A Task of whatever can be awaited for a result.</summary>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <param name="awaitable">A Task, a <see cref="ValueTask{TResult}"/> or a Deferred of that type.</param>
    /// <exception cref="NotAwaitableException">It is something else, or of another type.</exception>
    public static Task<T> Convert<T>(object? awaitable) => awaitable switch
    {
        Task<T> task => task,
        ValueTask<T> task => task.AsTask(),
        Deferred<T> deferred => AwaitAsync(deferred),
        LoopAwaitable<T> converted => converted.Task,
        _ => throw NotAwaitableException.For(awaitable, typeof(T)),
    };

    /// <summary>
    /// A Task of a Deferred that belongs to another loop, where it is awaited. Awaiting the Task goes on on the caller's loop; awaiting
    /// the Deferred itself would go on inside its firing, on the other's thread.
    /// </summary>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <param name="owner">The loop that the Deferred belongs to. Any thread.</param>
    /// <param name="deferred">The Deferred. It keeps its result.</param>
    /// <returns>Never done if the owner is closed before the Deferred has fired.</returns>
    /// <exception cref="ObjectDisposedException">The owner is closed.</exception>
    public static Task<T> AwaitThereAsync<T>(this IEventLoop owner, Deferred<T> deferred)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(deferred);
        if (owner.IsOnLoopThread)
        {
            return AwaitAsync(deferred);
        }

        // Asynchronously: what awaits it with no context goes to the pool, and never runs on a loop that is not its own.
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        bool posted = owner.AddCallback(() => AwaitAsync(deferred).ContinueWith(
            static (ended, target) => ((TaskCompletionSource<T>)target!).TrySetFromTask(ended),
            result, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default));
        ObjectDisposedException.ThrowIf(!posted, owner);
        return result.Task;
    }

    /// <summary>Only awaits, where <see cref="Deferred{T}.ToTask()"/> would take the result away.</summary>
    internal static async Task<T> AwaitAsync<T>(Deferred<T> deferred) => await deferred;

    private static async Task AwaitAsync(Deferred deferred) => await deferred;

    private static async Task MomentAsync(IEventLoop loop) => await loop.Moment();

    private sealed class Sleeper(IEventLoop loop) : LoopWaiter<bool>(loop)
    {
        protected override void OnTimeout() => Succeed(true);
    }
}
