using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>What the native reactor alone does.</summary>
public sealed class NativeReactorTests : ContractTest
{
    public static TheoryData<LoopDriver> Drivers => new(LoopDriver.Epoll, LoopDriver.Managed);

    [Theory]
    [MemberData(nameof(Drivers))]
    public void Dispose_InACall_EndsTheRunAndDropsTheRest(LoopDriver driver)
    {
        SkipUnless(driver != LoopDriver.Epoll || OperatingSystem.IsLinux(), "epoll is Linux's");
        Reactor reactor = NewReactor(driver);
        bool shutDown = false;
        reactor.AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Shutdown, () => shutDown = true);
        reactor.CallFromThread(reactor.Dispose);
        reactor.CallFromThread(static () => Assert.Fail("It ran after the disposal."));
        reactor.Run();
        Assert.True(shutDown);
        Assert.False(reactor.CallFromThread(static () => { }));
        Assert.Throws<ObjectDisposedException>(reactor.Run);
        Assert.Empty(reactor.RemoveAll());
    }

    private Reactor NewReactor(LoopDriver driver)
        => Own(new Reactor(new ReactorOptions { Driver = driver, Logger = Log.CreateLogger("reactor") }));
}
