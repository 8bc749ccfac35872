namespace LoopBridge.Loops;

/// <summary>A native loop, with nothing beneath it.</summary>
internal sealed class NativeLoopEngine(EventLoop loop) : ILoopEngine
{
    public string Name => loop.Name;

    public IEventLoop Loop => loop;

    public LoopStatistics GetStatistics() => loop.GetStatistics();

    public void Run() => loop.Start();

    public void Stop() => loop.Stop();

    public void Dispose() => loop.CloseForGood(closeDescriptors: false);
}
