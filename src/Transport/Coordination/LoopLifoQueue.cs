using System.Diagnostics.CodeAnalysis;
using LoopBridge.Loops;

namespace LoopBridge.Coordination;

/// <summary>A <see cref="LoopQueue{T}"/> that gives the newest item first. Descends from Tornado's <c>LifoQueue</c>.</summary>
/// <remarks>Those who wait are served in the order they came, as in any queue.</remarks>
/// <typeparam name="T">What it holds.</typeparam>
/// <param name="loop">The loop it belongs to.</param>
/// <param name="maxSize">How many items it holds at most. Defaults to zero: no limit.</param>
[SuppressMessage("Naming", "CA1711", Justification = "As of its base.")]
[SuppressMessage("Naming", "CA1710", Justification = "As of its base.")]
public sealed class LoopLifoQueue<T>(IEventLoop loop, int maxSize = 0) : LoopQueue<T>(loop, maxSize, new LifoStore<T>());
