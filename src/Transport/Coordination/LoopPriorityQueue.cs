using System.Diagnostics.CodeAnalysis;
using LoopBridge.Loops;

namespace LoopBridge.Coordination;

/// <summary>
/// A <see cref="LoopQueue{T}"/> that gives the smallest item first, and of equal ones the oldest. Descends from Tornado's
/// <c>PriorityQueue</c>.
/// </summary>
/// <typeparam name="T">What it holds; a tuple of priority and work is enough.</typeparam>
/// <param name="loop">The loop it belongs to.</param>
/// <param name="maxSize">How many items it holds at most. Defaults to zero: no limit.</param>
/// <param name="comparer">What small means. Defaults to the order of the items themselves.</param>
[SuppressMessage("Naming", "CA1711", Justification = "As of its base.")]
[SuppressMessage("Naming", "CA1710", Justification = "As of its base.")]
public sealed class LoopPriorityQueue<T>(IEventLoop loop, int maxSize = 0, IComparer<T>? comparer = null)
    : LoopQueue<T>(loop, maxSize, new PriorityStore<T>(comparer ?? Comparer<T>.Default));
