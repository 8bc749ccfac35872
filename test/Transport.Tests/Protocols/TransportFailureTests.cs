using System.Net.Sockets;
using LoopBridge.Protocols;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>Exceptions of protocols: logged once, the reason of the loss, and nobody else's trouble.</summary>
public sealed class TransportFailureTests : ProtocolTest
{
    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-20")]
    [Contract("R-INV-02")]
    public async Task DataReceived_Throws_LoggedOnceAndTheReason(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var bug = new InvalidTimeZoneException("bug");
        var protocol = new TestProtocol { OnData = (_, _) => throw bug };
        await using IListeningPort port = host.Listen(() => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync("x"u8.ToArray());

        Assert.Same(bug, await protocol.Lost.WithDeadline());
        await peer.ReadToResetAsync();
        LogList.Entry entry = Assert.Single(host.Log.Errors);
        Assert.Same(bug, entry.Exception);
        Assert.Contains(protocol.Transport.ConnectionId, entry.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CONN-12")]
    public async Task DataReceived_AbortsAndThrows_TheExceptionWins(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var bug = new InvalidTimeZoneException("bug");
        var protocol = new TestProtocol
        {
            OnData = (p, _) =>
            {
                p.Transport.AbortConnection();
                throw bug;
            },
        };
        await using IListeningPort port = host.Listen(() => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync("x"u8.ToArray());

        Assert.Same(bug, await protocol.Lost.WithDeadline());
        await host.On(() => { });
        Assert.Equal(["made", "data", "lost"], protocol.Events);
        Assert.Same(bug, Assert.Single(host.Log.Errors).Exception);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPP-25")]
    public async Task ConnectionMade_Throws_OnlyThatConnectionEnds(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var bug = new InvalidTimeZoneException("bug");
        var bad = new TestProtocol { OnMade = _ => throw bug };
        var good = new TestProtocol();
        var protocols = new Queue<Protocol>([bad, good]);
        await using IListeningPort port = host.Listen(protocols.Dequeue);
        try
        {
            using Peer first = await Peer.ConnectAsync(port);
        }
        catch (SocketException)
        {
            // The reset may overtake the end of the connect.
        }

        Assert.Same(bug, await bad.Lost.WithDeadline());
        using Peer second = await Peer.ConnectAsync(port);
        await second.SendAsync("x"u8.ToArray());

        await good.WaitForBytes(1).WithDeadline();
        Assert.Same(bug, Assert.Single(host.Log.Errors).Exception);
    }

    [Theory, MemberData(nameof(Drivers))]
    public async Task ConnectionLost_Throws_LoggedAndTheLoopGoesOn(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var bug = new InvalidTimeZoneException("bug");
        var protocol = new TestProtocol { OnLost = (_, _) => throw bug };
        await using IListeningPort port = host.Listen(() => protocol);
        using (Peer peer = await Peer.ConnectAsync(port))
        {
            await protocol.Made.WithDeadline();
        }

        await protocol.Lost.WithDeadline();
        await host.On(() => { });
        Assert.Same(bug, Assert.Single(host.Log.Errors).Exception);
    }

    [Theory, MemberData(nameof(Drivers))]
    public async Task DataReceived_ThrowsWithoutLogger_TheLoopIsTold(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var bug = new InvalidTimeZoneException("bug");
        var told = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        await host.On(() => host.Loop.ExceptionHandler = (e, _) => told.TrySetResult(e));
        host.Options.Logger = null;
        var protocol = new TestProtocol { OnData = (_, _) => throw bug };
        await using IListeningPort port = host.Listen(() => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync("x"u8.ToArray());

        Assert.Same(bug, await told.Task.WithDeadline());
        Assert.Same(bug, await protocol.Lost.WithDeadline());
    }

    [Theory, MemberData(nameof(Drivers))]
    public async Task MalformedInput_AnswerIsSentThenClosedInOrder_LoggedWithoutFuss(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var protocol = new TestProtocol
        {
            OnData = (p, _) =>
            {
                p.Transport.Write("bad request"u8);
                throw new MalformedInputException("No such command.");
            },
        };
        await using IListeningPort port = host.Listen(() => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync("x"u8.ToArray());

        Assert.Equal("bad request"u8.ToArray(), await peer.ReadToEndAsync());
        Assert.IsType<MalformedInputException>(await protocol.Lost.WithDeadline());
        LogList.Entry entry = Assert.Single(host.Log.Named("MalformedInput"));
        Assert.Equal(LogLevel.Information, entry.Level);
        Assert.Null(entry.Exception);
        Assert.Empty(host.Log.Errors);
    }

    [Theory, MemberData(nameof(Drivers))]
    public async Task Callback_ChangesAmbientContext_DoesNotLeak(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var ambient = new AsyncLocal<string?>();
        var protocol = new TestProtocol { OnMade = _ => ambient.Value = "mine" };
        await using IListeningPort port = host.Listen(() => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();
        string? seen = "unset";
        var second = new TestProtocol { OnMade = _ => seen = ambient.Value };
        await using IListeningPort otherPort = host.Listen(() => second);
        using Peer other = await Peer.ConnectAsync(otherPort);
        await second.Made.WithDeadline();
        await host.On(() => { });

        Assert.Null(seen);
    }

    [Fact]
    public async Task Factory_GivesAUsedProtocolAgain_RefusedWithTheReason()
    {
        using var host = new ReactorHost(LoopDriver.Auto);
        var singleton = new TestProtocol();
        await using IListeningPort port = host.Listen(() => singleton);
        using Peer first = await Peer.ConnectAsync(port);
        await singleton.Made.WithDeadline();
        using Peer second = await Peer.ConnectAsync(port);

        Assert.Empty(await second.ReadToEndAsync());
        Assert.Contains("singleton", Assert.Single(host.Log.Errors).Exception!.Message, StringComparison.Ordinal);
        Assert.True(singleton.IsConnected);
    }
}
