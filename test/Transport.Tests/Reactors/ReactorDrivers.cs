namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>The drivers that each test runs on.</summary>
internal static class ReactorDrivers
{
    public static TheoryData<LoopDriver> All => OperatingSystem.IsLinux() ? [LoopDriver.Epoll, LoopDriver.Managed] : [LoopDriver.Managed];
}
