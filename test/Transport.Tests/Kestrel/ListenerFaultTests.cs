using System.Net.Sockets;
using LoopBridge.Kestrel;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Protocols;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Kestrel;

/// <summary>Accept fails with what the system does not give on demand.</summary>
public sealed class ListenerFaultTests
{
    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-25"), Contract("K-24")]
    public async Task AcceptAsync_ConnectionsThatDiedInTheQueue_AreSkippedAndLoggedWithoutAnId(LoopBridgeMode mode, LoopDriver driver)
    {
        await using TransportHost host = Create(mode, driver);
        (LoopConnectionListener listener, FaultySocket socket) = await ListenAsync(host);
        await FailAsync(host, socket, SocketError.ConnectionAborted, SocketError.ConnectionReset);
        await host.ConnectAsync(listener);
        LogEntry[] resets = host.LogsOf("ConnectionReset");
        Assert.Equal(2, resets.Length);
        Assert.All(resets, reset => Assert.Equal((LogLevel.Debug, "Connection id \"(null)\" reset."), (reset.Level, reset.Message)));
    }

    // EMFILE and ENFILE are one SocketError, ENOBUFS and ENOMEM the other.
    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-26"), Contract("K-24")]
    public async Task AcceptAsync_NothingLeftToAcceptWith_BacksOffAndTellsOnce(LoopBridgeMode mode, LoopDriver driver)
    {
        await using TransportHost host = Create(mode, driver);
        host.Expected = entry => entry is { Level: LogLevel.Warning, Id.Name: "AcceptExhausted" };
        (LoopConnectionListener listener, FaultySocket socket) = await ListenAsync(host);
        await FailAsync(host, socket, SocketError.TooManyOpenSockets, SocketError.NoBufferSpaceAvailable, SocketError.TooManyOpenSockets);
        await host.ConnectAsync(listener);
        Assert.Equal(
            [LogLevel.Warning, LogLevel.Debug, LogLevel.Debug], host.LogsOf("AcceptExhausted").Select(entry => entry.Level));
        Assert.InRange(await host.AskAsync(0, () => socket.Accepts), 4, 6); // one for each error, one that gave it, and looks in vain
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-24")]
    public async Task AcceptAsync_TheListeningSocketIsBroken_TellsOnceAndTriesOn(LoopBridgeMode mode, LoopDriver driver)
    {
        await using TransportHost host = Create(mode, driver);
        host.Expected = entry => entry is { Level: LogLevel.Error, Id.Name: "AcceptFailed" };
        (LoopConnectionListener listener, FaultySocket socket) = await ListenAsync(host);
        await FailAsync(host, socket, SocketError.InvalidArgument, SocketError.SocketError);
        await host.ConnectAsync(listener);
        Assert.Equal([LogLevel.Error, LogLevel.Debug], host.LogsOf("AcceptFailed").Select(entry => entry.Level));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-26"), Contract("K-23")]
    public async Task Unbind_WhileResting_EndsAtOnce(LoopBridgeMode mode, LoopDriver driver)
    {
        await using TransportHost host = Create(mode, driver);
        host.Expected = entry => entry is { Level: LogLevel.Warning, Id.Name: "AcceptExhausted" };
        (LoopConnectionListener listener, FaultySocket socket) = await ListenAsync(host);
        await FailAsync(host, socket, [.. Enumerable.Repeat(SocketError.TooManyOpenSockets, 1000)]);
        Task<ConnectionContext?> pending = listener.AcceptAsync(TestContext.Current.CancellationToken).AsTask();
        using Socket client = TransportHost.Dial(listener.EndPoint);
        PipeExtensions.Eventually(() => host.LogsOf("AcceptExhausted").Length > 0, "Exhaustion was not reported.");
        await listener.UnbindAsync(TestContext.Current.CancellationToken).WithDeadline();
        Assert.Null(await pending.WithDeadline());
    }

    private static TransportHost Create(LoopBridgeMode mode, LoopDriver driver)
    {
        Assert.SkipWhen(mode == LoopBridgeMode.ReactorOnLoop && driver == LoopDriver.Managed,
            "The managed loop listens on .NET's sockets alone, which no error can be put into.");
        return new TransportHost(mode, driver);
    }

    private static Task<bool> FailAsync(TransportHost host, FaultySocket socket, params SocketError[] errors)
        => host.AskAsync(0, () =>
        {
            Array.ForEach(errors, socket.Errors.Enqueue);
            return true;
        });

    private static async Task<(LoopConnectionListener Listener, FaultySocket Socket)> ListenAsync(TransportHost host)
    {
        host.Group.Start();
        IEventLoop loop = host.Group.Members[0].Loop;
        var listen = new ListenSettings();
        var socket = new FaultySocket(ListeningSockets.Listen(HandlerSocketDriver.For(loop), TransportHost.AnyPort, listen));
        ILogger logger = host.Loggers.CreateLogger(LoopTransportFactory.LogCategory);
        var standing = new EndpointStanding(TimeProvider.System);
        var listener = new LoopConnectionListener(
            new BoundSocket(socket, socket.LocalEndPoint!, TransportHost.AnyPort, made: null),
            loop,
            host.Group,
            listen,
            [.. host.Group.Members.Select(member => new LoopConnectionSettings(
                host.Options.Value, member, host.Group.Workers, standing, host.Pools.Create(), logger))],
            limit: null,
            new AcceptCounters(),
            logger);
        host.OwnAtEnd(listener);
        await listener.StartAsync().WithDeadline();
        return (listener, socket);
    }
}
