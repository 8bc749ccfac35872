using LoopBridge.Loops;

namespace LoopBridge.Coordination;

/// <summary>
/// Tells a loop of Tasks that failed and were collected without anybody having looked, until it is disposed of. Otherwise .NET drops such
/// failures silently; Tornado logs them.
/// </summary>
/// <remarks>
/// .NET has one event for the whole process, <see cref="TaskScheduler.UnobservedTaskException"/>, which does not know whose the Task was:
/// so this reports those of everybody in the process, and it is for whoever owns the process to switch on. A failure that another listener
/// has marked as observed is not reported again; nor is one of a Task that lives until the process ends.
/// </remarks>
/// <example><code>
/// using var unobserved = new UnobservedTasks(loop);
/// loop.Start();
/// </code></example>
public sealed class UnobservedTasks : IDisposable
{
    private readonly IEventLoop _loop;

    /// <summary>Listens from now on. Any thread.</summary>
    /// <param name="loop">Its <see cref="IEventLoop.ExceptionHandler"/>, or its log, is told, in a later turn.</param>
    public UnobservedTasks(IEventLoop loop)
    {
        ArgumentNullException.ThrowIfNull(loop);
        _loop = loop;
        TaskScheduler.UnobservedTaskException += OnUnobserved;
    }

    /// <summary>Ends it. Harmless when repeated. Any thread.</summary>
    public void Dispose() => TaskScheduler.UnobservedTaskException -= OnUnobserved;

    // On the finalizer's thread.
    private void OnUnobserved(object? sender, UnobservedTaskExceptionEventArgs e)
    {
        if (e.Observed)
        {
            return;
        }

        foreach (Exception failure in e.Exception.InnerExceptions)
        {
            if (EscapedException.Report(_loop, failure, "A task that nobody observed"))
            {
                e.SetObserved();
            }
        }
    }
}
