namespace LoopBridge.Transport.Tests.Kestrel;

/// <summary>What each test of this room runs on.</summary>
public static class Cases
{
    public static TheoryData<LoopDriver> Drivers => [LoopDriver.Epoll, LoopDriver.Managed];

    /// <summary>Drivers, and where the users of the pipes run.</summary>
    public static TheoryData<LoopDriver, LoopScheduling> All => new()
    {
        { LoopDriver.Epoll, LoopScheduling.Inline },
        { LoopDriver.Epoll, LoopScheduling.ThreadPool },
        { LoopDriver.Managed, LoopScheduling.Inline },
        { LoopDriver.Managed, LoopScheduling.ThreadPool },
    };
}
