namespace LoopBridge.Testing;

/// <summary>
/// The stacks of the contract with Kestrel: modes × drivers. A test of it takes these two as they are, because they are what it configures;
/// one that takes a mode alone runs on the driver that <see cref="LoopDriver.Auto"/> finds.
/// </summary>
internal static class ServerStack
{
    /// <summary>The stack among the arguments of a test, or null.</summary>
    internal static string? FindName(object?[] arguments)
    {
        if (arguments.OfType<LoopBridgeMode?>().FirstOrDefault() is not { } mode)
        {
            return null;
        }

        LoopDriver driver = arguments.OfType<LoopDriver?>().FirstOrDefault() ?? LoopDriver.Auto;
        return NameOf(mode, driver);
    }

    internal static string NameOf(LoopBridgeMode mode, LoopDriver driver)
    {
        bool isEpoll = driver == LoopDriver.Epoll || (driver == LoopDriver.Auto && OperatingSystem.IsLinux());
        return $"{mode}/{(isEpoll ? "epoll" : "managed")}";
    }
}
