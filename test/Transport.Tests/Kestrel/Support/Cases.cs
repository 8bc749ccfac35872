namespace LoopBridge.Transport.Tests.Kestrel;

/// <summary>What each test of this room runs on.</summary>
public static class Cases
{
    /// <summary>Modes and drivers.</summary>
    public static TheoryData<LoopBridgeMode, LoopDriver> Drivers => new()
    {
        { LoopBridgeMode.ReactorOnLoop, LoopDriver.Epoll },
        { LoopBridgeMode.ReactorOnLoop, LoopDriver.Managed },
        { LoopBridgeMode.LoopOnReactor, LoopDriver.Epoll },
        { LoopBridgeMode.LoopOnReactor, LoopDriver.Managed },
    };

    /// <summary>Modes and drivers, and where the users of the pipes run: each pair of these.</summary>
    public static TheoryData<LoopBridgeMode, LoopDriver, LoopScheduling> All => new()
    {
        { LoopBridgeMode.ReactorOnLoop, LoopDriver.Epoll, LoopScheduling.Inline },
        { LoopBridgeMode.ReactorOnLoop, LoopDriver.Epoll, LoopScheduling.ThreadPool },
        { LoopBridgeMode.ReactorOnLoop, LoopDriver.Epoll, LoopScheduling.Adaptive },
        { LoopBridgeMode.ReactorOnLoop, LoopDriver.Managed, LoopScheduling.Inline },
        { LoopBridgeMode.ReactorOnLoop, LoopDriver.Managed, LoopScheduling.ThreadPool },
        { LoopBridgeMode.ReactorOnLoop, LoopDriver.Managed, LoopScheduling.Adaptive },
        { LoopBridgeMode.LoopOnReactor, LoopDriver.Epoll, LoopScheduling.Inline },
        { LoopBridgeMode.LoopOnReactor, LoopDriver.Epoll, LoopScheduling.ThreadPool },
        { LoopBridgeMode.LoopOnReactor, LoopDriver.Epoll, LoopScheduling.Adaptive },
        { LoopBridgeMode.LoopOnReactor, LoopDriver.Managed, LoopScheduling.Inline },
        { LoopBridgeMode.LoopOnReactor, LoopDriver.Managed, LoopScheduling.Adaptive },
    };
}
