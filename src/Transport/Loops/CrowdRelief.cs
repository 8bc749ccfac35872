using System.Diagnostics;

namespace LoopBridge.Loops;

/// <summary>
/// Whether there is another processor for the guests of a loop that has too many of them. Loops are fewer than processors, because they do
/// more with less when they are busy; so what is too much for them shall run elsewhere, and only then. Watchdog's thread.
/// </summary>
internal sealed class CrowdRelief(IdleProcessors processors)
{
    // Long beside the steps in which the kernel counts, short beside what a person notices.
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    private long _asked;
    private bool _hasSpare;

    /// <param name="now">Of <see cref="Stopwatch"/>.</param>
    internal bool IsToBeHad(long now)
    {
        TimeSpan sinceAsked = Stopwatch.GetElapsedTime(_asked, now);
        if (_asked == 0 || sinceAsked >= Period)
        {
            // What the processors did before anybody needed one says nothing.
            _hasSpare = processors.HasSpare() && sinceAsked < 2 * Period;
            _asked = now;
        }

        return _hasSpare;
    }
}
