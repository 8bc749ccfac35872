namespace LoopBridge.Loops;

/// <summary>A native loop, with nothing beneath it.</summary>
internal sealed class NativeLoopEngine(EventLoop loop) : ILoopEngine
{
    private volatile bool _stopRequested;

    public string Name => loop.Name;

    public IEventLoop Loop => loop;

    public LoopActivity Activity => loop.Activity;

    public LoopStatistics GetStatistics() => loop.GetStatistics();

    public void Invite(ILoopGuest guest) => loop.Invite(guest);

    public bool Run()
    {
        // A user's stop ends a run. Who else is on the loop did not ask for it, and its thread is the group's.
        while (!_stopRequested)
        {
            if (!loop.Run())
            {
                return false;
            }
        }

        return true;
    }

    public bool GoOn() => loop.GoOn() && Run();

    public void Stop()
    {
        _stopRequested = true;
        loop.Stop();
    }

    public void Dispose() => loop.CloseForGood(closeDescriptors: false);
}
