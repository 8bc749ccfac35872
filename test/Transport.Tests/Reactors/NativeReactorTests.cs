using LoopBridge.Reactors;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>What the native reactor's own dispatcher does.</summary>
public sealed class NativeReactorTests : ContractTest
{
    public static TheoryData<LoopDriver> Drivers => ReactorDrivers.All;

    [Theory]
    [MemberData(nameof(Drivers))]
    public void Stop_InACall_FiresAfterTheCallsAndDelayedCallsOfTheTurn(LoopDriver driver)
    {
        Reactor reactor = NewReactor(driver);
        var order = new List<string>();
        reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Shutdown, () => order.Add("shutdown"));
        reactor.CallLater(TimeSpan.Zero, () => order.Add("delayed"));
        reactor.CallFromThread(() =>
        {
            reactor.Stop();
            order.Add("stopped");
            reactor.CallFromThread(() => order.Add("next turn"));
        });
        reactor.CallFromThread(() => order.Add("call"));

        reactor.Run();

        Assert.Equal(["stopped", "call", "delayed", "shutdown"], order);
        Assert.Throws<ReactorNotRunningException>(reactor.Stop);
        Assert.Throws<ReactorNotRestartableException>(reactor.Run);
    }

    [Theory]
    [MemberData(nameof(Drivers))]
    public void Crash_FromAStartupTrigger_CanBeRunAgain(LoopDriver driver)
    {
        Reactor reactor = NewReactor(driver);
        for (int i = 0; i < 3; i++)
        {
            bool ran = false;
            reactor.CallWhenRunning(() =>
            {
                Assert.True(reactor.Running);
                Assert.Throws<ReactorAlreadyRunningException>(reactor.Run);
                ran = true;
                reactor.Crash();
            });
            reactor.Run();
            Assert.True(ran);
            Assert.False(reactor.Running);
            Assert.False(reactor.IsInReactorThread);
        }

        reactor.CallWhenRunning(reactor.Stop);
        reactor.Run();
        Assert.Throws<ReactorNotRestartableException>(reactor.Run);
    }

    [Theory]
    [MemberData(nameof(Drivers))]
    public void Iterate_WithoutWait_RunsWhatIsDueAndReturns(LoopDriver driver)
    {
        Reactor reactor = NewReactor(driver);
        IDelayedCall far = reactor.CallLater(TimeSpan.FromHours(1), static () => { });
        int calls = 0;
        reactor.CallFromThread(() =>
        {
            calls++;
            Assert.Throws<ReactorAlreadyRunningException>(() => reactor.Iterate(TimeSpan.Zero));
            reactor.CallFromThread(() => calls++);
        });
        reactor.Iterate(TimeSpan.Zero);
        Assert.Equal(1, calls);
        reactor.Iterate(TimeSpan.FromHours(1)); // there is something to do
        Assert.Equal(2, calls);
        Assert.True(far.Active);
        Assert.Throws<ArgumentOutOfRangeException>(() => reactor.Iterate(TimeSpan.FromSeconds(-2)));
    }

    [Fact]
    public void Turn_FailsAsAWhole_IsLoggedAndTheNextFollows()
    {
        var clock = new FailingClock();
        Reactor reactor = Own(new Reactor(new ReactorOptions { TimeProvider = clock, Logger = Log.CreateLogger("reactor") }));
        reactor.CallLater(TimeSpan.Zero, reactor.Stop);
        clock.FailsOnce = true;
        reactor.Run();
        Assert.IsType<InvalidTimeZoneException>(Log.TakeSingle(LogLevel.Error).Exception);
    }

    [Fact]
    public void RegularFile_IsReadyOncePerTurn_UntilRemoved()
    {
        SkipUnless(OperatingSystem.IsLinux(), "epoll is Linux's");
        Reactor reactor = NewReactor(LoopDriver.Epoll);
        SafeFileHandle file = File.OpenHandle(typeof(NativeReactorTests).Assembly.Location);
        var descriptor = new TestDescriptor(file);
        reactor.AddReader(descriptor);
        reactor.Iterate(TimeSpan.FromHours(1));
        reactor.Iterate(TimeSpan.FromHours(1));
        Assert.Equal(2, descriptor.Reads);
        reactor.RemoveReader(descriptor);
        reactor.Iterate(TimeSpan.Zero);
        Assert.Equal(2, descriptor.Reads);
        file.Dispose();
        Assert.True(file.IsClosed);
    }

    [Theory]
    [MemberData(nameof(Drivers))]
    public void Dispose_InACall_EndsTheRunAndDropsTheRest(LoopDriver driver)
    {
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

    private sealed class FailingClock : TimeProvider
    {
        internal bool FailsOnce { get; set; }

        public override long GetTimestamp()
        {
            if (!FailsOnce)
            {
                return base.GetTimestamp();
            }

            FailsOnce = false;
            throw new InvalidTimeZoneException("The clock is broken.");
        }
    }
}
