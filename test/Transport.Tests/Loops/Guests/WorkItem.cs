namespace LoopBridge.Transport.Tests.Loops.Guests;

internal sealed class WorkItem(Action run) : IThreadPoolWorkItem
{
    public void Execute() => run();
}
