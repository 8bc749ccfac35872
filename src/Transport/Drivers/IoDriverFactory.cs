using LoopBridge.Drivers.Epoll;
using LoopBridge.Drivers.Managed;

namespace LoopBridge.Drivers;

internal static class IoDriverFactory
{
    internal static LoopDriver Resolve(LoopDriver requested) => requested switch
    {
        LoopDriver.Auto => EpollDriver.IsSupported ? LoopDriver.Epoll : LoopDriver.Managed,
        LoopDriver.Epoll when !EpollDriver.IsSupported => throw new PlatformNotSupportedException(
            "LoopBridge:Driver is Epoll, which only Linux has. Use Auto or Managed on this platform."),
        LoopDriver.Epoll or LoopDriver.Managed => requested,
        _ => throw new ArgumentOutOfRangeException(nameof(requested), requested, "LoopBridge:Driver is not a known driver: use Auto, Epoll or Managed."),
    };

    internal static IIoDriver Create(LoopDriver requested)
        => Resolve(requested) == LoopDriver.Epoll ? new EpollDriver() : new ManagedDriver();
}
