namespace LoopBridge.Deferreds;

/// <summary>
/// One of several Deferreds failed, and whoever waited for all of them waits no longer. Twisted: <c>FirstError</c>.
/// </summary>
/// <param name="index">Which one, in the order given, from zero.</param>
/// <param name="failure">Its failure.</param>
public sealed class FirstErrorException(int index, Exception failure)
    : Exception($"The Deferred at index {index} failed: {(failure ?? throw new ArgumentNullException(nameof(failure))).Message}", failure)
{
    /// <summary>Which one failed, in the order given, from zero. Its failure is the <see cref="Exception.InnerException"/>.</summary>
    public int Index { get; } = index;
}
