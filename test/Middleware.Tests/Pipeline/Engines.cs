namespace LoopBridge.Middleware.Tests.Pipeline;

/// <summary>What a whole server runs on: modes and drivers, in the default scheduling.</summary>
public static class Engines
{
    public static TheoryData<LoopBridgeMode, LoopDriver> All
    {
        get
        {
            var all = new TheoryData<LoopBridgeMode, LoopDriver>();
            foreach (LoopBridgeMode mode in Enum.GetValues<LoopBridgeMode>())
            {
                foreach (LoopDriver driver in Drivers)
                {
                    all.Add(mode, driver);
                }
            }

            return all;
        }
    }

    /// <summary>The same in every scheduling, for what depends on which thread does it.</summary>
    public static TheoryData<LoopBridgeMode, LoopDriver, LoopScheduling> AllSchedulings
    {
        get
        {
            var all = new TheoryData<LoopBridgeMode, LoopDriver, LoopScheduling>();
            foreach (LoopBridgeMode mode in Enum.GetValues<LoopBridgeMode>())
            {
                foreach (LoopDriver driver in Drivers)
                {
                    foreach (LoopScheduling scheduling in Enum.GetValues<LoopScheduling>())
                    {
                        all.Add(mode, driver, scheduling);
                    }
                }
            }

            return all;
        }
    }

    private static LoopDriver[] Drivers => OperatingSystem.IsLinux() ? [LoopDriver.Epoll, LoopDriver.Managed] : [LoopDriver.Managed];
}
