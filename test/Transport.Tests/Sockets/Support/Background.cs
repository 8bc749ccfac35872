namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>Work on a thread that is not the loop's. The tests bound it themselves.</summary>
internal static class Background
{
    internal static Task Run(Func<Task> work) => Task.Run(work, CancellationToken.None);

    internal static Task Run(Action work) => Task.Run(work, CancellationToken.None);

    /// <summary>On no thread of the pool's: what such a one flushes in a burst the loop sends, and not the pool.</summary>
    internal static Task RunOnItsOwnThread(Action work)
        => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
