using LoopBridge.Loops;

namespace LoopBridge.Coordination;

/// <summary>Which failures that reach nobody are worth telling of.</summary>
internal static class QuietTypes
{
    /// <summary>
    /// Tells the loop of the failure of a Task whose result nobody will see. A cancellation is no failure: it was asked for.
    /// </summary>
    internal static void ReportUnlessQuiet(IEventLoop loop, Task task, IReadOnlyCollection<Type>? quiet)
    {
        if (task.Exception?.InnerException is { } failure && quiet?.Any(type => type.IsInstanceOfType(failure)) is not true)
        {
            EscapedException.Report(loop, failure, task);
        }
    }
}
