namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>Work on a thread that is not the loop's. The tests bound it themselves.</summary>
internal static class Background
{
    internal static Task Run(Func<Task> work) => Task.Run(work, CancellationToken.None);

    internal static Task Run(Action work) => Task.Run(work, CancellationToken.None);
}
