using System.Diagnostics.CodeAnalysis;
using LoopBridge.Deferreds;

namespace LoopBridge.Coordination;

/// <summary>
/// A Task, a <see cref="ValueTask{TResult}"/> or a Deferred, so that one list or map can hold them mixed; each converts by itself. What
/// Tornado calls "yieldable".
/// </summary>
/// <remarks>
/// Converting only awaits: a Deferred keeps its result for handlers that are added later, and its failure counts as handled. Convert a
/// Deferred on its loop's thread.
/// </remarks>
/// <typeparam name="T">The type of the result.</typeparam>
/// <example><code>
/// int[] sizes = await loop.MultiAsync&lt;int&gt;([deferred, task, stream.ReadAsync(buffer)]);
/// </code></example>
[SuppressMessage("Performance", "CA1815:Override equals and operator equals on value types", Justification = "A parameter's type.")]
[SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "LoopTasks.Convert is the named one.")]
public readonly struct LoopAwaitable<T>
{
    private readonly Task<T>? _task;

    private LoopAwaitable(Task<T>? task) => _task = task ?? throw NotAwaitableException.For(null, typeof(T));

    /// <summary>What it became: done when the original is, in the same way.</summary>
    /// <exception cref="NotAwaitableException">It was made of nothing.</exception>
    internal Task<T> Task => _task ?? throw NotAwaitableException.For(null, typeof(T));

    /// <summary>Takes a Task as it is.</summary>
    /// <param name="task">The Task.</param>
    /// <exception cref="NotAwaitableException">It is null.</exception>
    public static implicit operator LoopAwaitable<T>(Task<T> task) => new(task);

    /// <summary>Awaits a value task, which nobody else may do then.</summary>
    /// <param name="task">The value task.</param>
    public static implicit operator LoopAwaitable<T>(ValueTask<T> task) => new(task.AsTask());

    /// <summary>Awaits a Deferred.</summary>
    /// <param name="deferred">The Deferred.</param>
    /// <exception cref="NotAwaitableException">It is null.</exception>
    public static implicit operator LoopAwaitable<T>(Deferred<T> deferred)
        => new(deferred is null ? null : LoopTasks.AwaitAsync(deferred));
}
