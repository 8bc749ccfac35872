namespace LoopBridge.Deferreds;

/// <summary>A <see cref="DeferredQueue{T}"/> holds as many items as it may. Twisted: <c>QueueOverflow</c>.</summary>
/// <param name="size">How many that is.</param>
public sealed class DeferredQueueOverflowException(int size)
    : InvalidOperationException($"The queue holds its limit of {size} items; the item was not taken.");

/// <summary>
/// A <see cref="DeferredQueue{T}"/> has no item, and as many takers wait as may. Twisted: <c>QueueUnderflow</c>.
/// </summary>
/// <param name="backlog">How many that is.</param>
public sealed class DeferredQueueUnderflowException(int backlog)
    : InvalidOperationException($"The queue is empty, and its limit of {backlog} takers wait already.");
