using LoopBridge.Bridge;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Protocols;
using LoopBridge.Reactors;
using LoopBridge.Sockets;
using LoopBridge.Streams;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Loops.Guests;

/// <summary>Who holds a loop for too long without being a guest keeps it, and is told of.</summary>
public sealed class WatchdogTests : IDisposable
{
    private readonly TestGroups _groups = new(new LoopSupervision { StallLimit = TimeSpan.FromMilliseconds(4) });

    public void Dispose() => _groups.Dispose();

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Callback_HoldingTheLoop_IsReportedOnceWhenItReturns(LoopBridgeMode mode, LoopDriver driver)
    {
        using LoopGroup group = _groups.Create(mode, driver);
        LoopMember member = group.Acquire();
        bool silent = false;
        member.Loop.AddCallback(HoldingCallback);
        string report = AssertReported(nameof(HoldingCallback));
        Assert.True(silent);
        Assert.Contains("loop-0 for 00:00:", report, StringComparison.Ordinal);

        // What is short does not count together, and another incident is another report.
        for (int i = 0; i < 1000; i++)
        {
            await member.DoAsync(static () => { });
        }

        Assert.DoesNotContain(_groups.Logs.AtLeast(LogLevel.Warning), static entry => IsAbout(entry, nameof(HoldingCallback)));
        member.Loop.AddCallback(HoldingCallback);
        AssertReported(nameof(HoldingCallback));
        Assert.True(silent);

        void HoldingCallback()
        {
            Hold(member, nameof(HoldingCallback));
            silent = !_groups.Logs.AtLeast(LogLevel.Warning).Any(static entry => IsAbout(entry, nameof(HoldingCallback)));
        }
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Timer_HoldingTheLoop_IsNamed(LoopBridgeMode mode, LoopDriver driver)
    {
        using LoopGroup group = _groups.Create(mode, driver);
        LoopMember member = group.Acquire();
        await member.DoAsync(() => member.Loop.CallLater(TimeSpan.Zero, HoldingTimer, null));
        AssertReported(nameof(HoldingTimer));
        await member.DoAsync(() => member.Loop.GetReactor().CallLater(TimeSpan.Zero, HoldingCall));
        AssertReported(nameof(HoldingCall));
        member.Loop.GetReactor().CallFromThread(HoldingCall);
        AssertReported(nameof(HoldingCall));
        await member.DoAsync(() => member.Loop.CallBeforePoll(HoldingTimer, null));
        AssertReported(nameof(HoldingTimer));

        void HoldingTimer(object? state) => Hold(member, nameof(HoldingTimer));

        void HoldingCall() => Hold(member, nameof(HoldingCall));
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task AsyncMethod_HoldingTheLoopAfterAnAwait_IsNamed(LoopBridgeMode mode, LoopDriver driver)
    {
        using LoopGroup group = _groups.Create(mode, driver);
        LoopMember member = group.Acquire();
        await member.DoAsync(() => _ = HoldAfterAwaitAsync());
        AssertReported($"{nameof(WatchdogTests)}");

        async Task HoldAfterAwaitAsync()
        {
            await Task.Yield();
            Hold(member, nameof(WatchdogTests));
        }
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task DescriptorHandlers_HoldingTheLoop_AreNamed(LoopBridgeMode mode, LoopDriver driver)
    {
        using var pair = SocketPair.Tcp();
        using LoopGroup group = _groups.Create(mode, driver);
        LoopMember member = group.Acquire();
        pair.Far.Send((ReadOnlySpan<byte>)[1]);
        await member.DoAsync(() => member.Loop.AddHandler(pair.Near.SafeHandle, IoEvents.Read, HoldingHandler));
        AssertReported(nameof(HoldingHandler));
        await member.DoAsync(() => member.Loop.GetReactor().AddReader(new HoldingReader(member, pair.Near.SafeHandle)));
        AssertReported(nameof(HoldingReader));

        void HoldingHandler(System.Runtime.InteropServices.SafeHandle handle, IoEvents events)
        {
            Hold(member, nameof(HoldingHandler));
            member.Loop.RemoveHandler(handle);
        }
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Protocol_HoldingTheLoop_IsNamedWithItsConnection(LoopBridgeMode mode, LoopDriver driver)
    {
        using var pair = SocketPair.Tcp();
        using LoopGroup group = _groups.Create(mode, driver);
        LoopMember member = group.Acquire();
        await member.DoAsync(() =>
        {
            StreamSocket socket = Open(member, pair);
            var transport = new ReactorTransport(socket, new HoldingProtocol(member), connectionId: "the connection");
            socket.Start(transport);
            transport.Begin(default);
        });
        pair.Far.Send((ReadOnlySpan<byte>)[1]);
        string report = AssertReported(nameof(HoldingProtocol));
        Assert.Contains("(the connection)", report, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task LoopHandler_HoldingTheLoopAfterARead_IsNamedWithItsEndPoints(LoopBridgeMode mode, LoopDriver driver)
    {
        using var pair = SocketPair.Tcp();
        string peer = pair.Far.LocalEndPoint!.ToString()!;
        using LoopGroup group = _groups.Create(mode, driver);
        LoopMember member = group.Acquire();
        await member.DoAsync(() => _ = ServeAsync());
        pair.Far.Send((ReadOnlySpan<byte>)[1]);
        string report = AssertReported(nameof(WatchdogTests));
        Assert.Contains(peer, report, StringComparison.Ordinal);

        async Task ServeAsync()
        {
            StreamSocket socket = Open(member, pair);
            var stream = new LoopStream(socket) { User = typeof(WatchdogTests) };
            socket.Start(stream.SocketSink);
            await stream.ReadExactlyAsync(new byte[1]);
            Hold(member, nameof(WatchdogTests));
            await stream.CloseAsync();
        }
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Guest_HoldingItsThread_IsNotReported(LoopBridgeMode mode, LoopDriver driver)
    {
        using LoopGroup group = _groups.Create(mode, driver);
        LoopMember member = group.Acquire();
        TestGuest guest = await _groups.InviteBlockingAsync(member);
        await guest.Lost;
        await member.DoAsync(static () => { });
        _groups.Release.Set();
        await guest.Ended;

        // On a loaded machine whoever took the loop over may have been held up.
        Assert.DoesNotContain(_groups.Logs.AtLeast(LogLevel.Warning), static entry => entry.Message.Contains(nameof(TestGuest), StringComparison.Ordinal));
    }

    private string AssertReported(string name)
    {
        // Beside it, on a loaded machine, something innocent may have been held up.
        LogEntry? entry = null;
        Assert.True(
            SpinWait.SpinUntil(() => (entry = _groups.Logs.Take(LogLevel.Warning).FirstOrDefault(entry => IsAbout(entry, name))) is not null, Deadline.Default),
            $"No report of {name}.");
        return entry!.Message;
    }

    private static bool IsAbout(LogEntry entry, string name)
        => entry.Id.Name == "LoopHeld" && entry.Message.Contains(name, StringComparison.Ordinal);

    // For as long as it takes until the watchdog has seen who it is.
    private static void Hold(LoopMember member, string name)
        => Assert.True(
            SpinWait.SpinUntil(() => member.Holder?.Contains(name, StringComparison.Ordinal) is true, Deadline.Default),
            $"Nobody has noticed {name}, but {member.Holder}.");

    private static StreamSocket Open(LoopMember member, SocketPair pair)
    {
        ISocketDriver sockets = HandlerSocketDriver.For(member.Loop);
        return new StreamSocket(member.Loop, sockets.OpenStream(sockets.AdoptSocket(pair.Near)));
    }

    private sealed class HoldingReader(LoopMember member, System.Runtime.InteropServices.SafeHandle handle) : IReadDescriptor
    {
        public System.Runtime.InteropServices.SafeHandle Handle => handle;

        public Exception? DoRead()
        {
            Hold(member, nameof(HoldingReader));
            member.Loop.GetReactor().RemoveReader(this);
            return null;
        }

        public void ConnectionLost(Exception reason)
        {
        }
    }

    private sealed class HoldingProtocol(LoopMember member) : Protocol
    {
        public override void DataReceived(ReadOnlySpan<byte> data) => Hold(member, nameof(HoldingProtocol));
    }
}
