using System.Diagnostics;

namespace LoopBridge.Deferreds;

public abstract partial class Deferred
{
    /// <summary>
    /// Raised once for each failure that no handler, awaiter, Task or other Deferred took over, when its Deferred has been collected; and
    /// at once for one that has no Deferred to go to, such as that of a canceller among several. Nobody listens by default, and then
    /// nothing is written anywhere.
    /// </summary>
    /// <remarks>
    /// Raised on the finalizer thread, or on the loop's, with a null sender: handlers must be quick, thread-safe, and not throw (an exception is dropped,
    /// for it would end the process; the other handlers are told all the same). A failure whose Deferred lives until the process ends is not reported.
    /// </remarks>
    public static event EventHandler<UnhandledFailureEventArgs>? UnhandledFailure;

    /// <summary>
    /// Whether Deferreds made from now on remember where they were made and fired, for the message of
    /// <see cref="AlreadyCalledException"/>. Costs two stack walks per Deferred. Defaults to false.
    /// </summary>
    public static bool Debugging { get; set; }

    internal static void ReportUnhandled(Exception failure)
    {
        var args = new UnhandledFailureEventArgs(failure);
        foreach (EventHandler<UnhandledFailureEventArgs> handler in Delegate.EnumerateInvocationList(UnhandledFailure))
        {
            try
            {
                handler(null, args);
            }
            catch (Exception)
            {
                // On the finalizer thread this would end the process, and the reporter of last resort has nobody left to report to. One after
                // the other, so that it does not keep the failure from those who listen, too.
            }
        }
    }

    private sealed class DebugInfo
    {
        private readonly StackTrace _made = new(skipFrames: 2, fNeedFileInfo: true);
        private StackTrace? _fired;

        public void Fired() => _fired = new StackTrace(skipFrames: 2, fNeedFileInfo: true);

        public string Describe()
            => $"This Deferred has been fired already.{Environment.NewLine}It was made{Environment.NewLine}{_made}"
                + $"and first fired{Environment.NewLine}{_fired}";
    }
}
