using System.Net.Sockets;
using LoopBridge.Protocols;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>Exceptions of protocols: logged once, the reason of the loss, and nobody else's trouble.</summary>
public sealed class TransportFailureTests : ProtocolContract
{
    [Theory, ReactorStacks]
    [Contract("R-FD-20"), Contract("R-INV-02")]
    public async Task DataReceived_Throws_LoggedOnceAndTheReason(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var bug = new InvalidTimeZoneException("bug");
        var protocol = new TestProtocol { OnData = (_, _) => throw bug };
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync("x"u8.ToArray());

        Assert.Same(bug, await protocol.Lost.WithDeadline());
        await peer.ReadToResetAsync();
        LogEntry entry = Log.TakeSingle(LogLevel.Error);
        Assert.Same(bug, entry.Exception);
        Assert.Contains(protocol.Transport.ConnectionId, entry.Message, StringComparison.Ordinal);
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-12")]
    public async Task DataReceived_AbortsAndThrows_TheExceptionWins(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var bug = new InvalidTimeZoneException("bug");
        var protocol = new TestProtocol
        {
            OnData = (p, _) =>
            {
                p.Transport.AbortConnection();
                throw bug;
            },
        };
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync("x"u8.ToArray());

        Assert.Same(bug, await protocol.Lost.WithDeadline());
        await thread.Turn();
        Assert.Equal(["made", "data", "lost"], protocol.Events);
        Assert.Same(bug, Assert.Single(TakeErrors()));
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPP-25")]
    public async Task ConnectionMade_Throws_OnlyThatConnectionEnds(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var bug = new InvalidTimeZoneException("bug");
        var bad = new TestProtocol { OnMade = _ => throw bug };
        var good = new TestProtocol();
        var protocols = new Queue<Protocol>([bad, good]);
        await using IListeningPort port = Listen(thread, protocols.Dequeue);
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
        Assert.Same(bug, Assert.Single(TakeErrors()));
    }

    [Theory, ReactorStacks]
    public async Task ConnectionLost_Throws_LoggedAndTheLoopGoesOn(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var bug = new InvalidTimeZoneException("bug");
        var protocol = new TestProtocol { OnLost = (_, _) => throw bug };
        await using IListeningPort port = Listen(thread, () => protocol);
        using (Peer peer = await Peer.ConnectAsync(port))
        {
            await protocol.Made.WithDeadline();
        }

        await protocol.Lost.WithDeadline();
        await thread.Turn();
        Assert.Same(bug, Assert.Single(TakeErrors()));
    }

    [Theory, ReactorStacks]
    public async Task DataReceived_ThrowsWithoutLogger_TheReactorTells(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var bug = new InvalidTimeZoneException("bug");
        Options.Logger = null;
        var protocol = new TestProtocol { OnData = (_, _) => throw bug };
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync("x"u8.ToArray());

        Assert.Same(bug, await protocol.Lost.WithDeadline());
        Assert.Same(bug, Assert.Single(Log.WaitAndTake(LogLevel.Error)).Exception);
    }

    [Theory, ReactorStacks]
    public async Task MalformedInput_AnswerIsSentThenClosedInOrder_LoggedWithoutFuss(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new TestProtocol
        {
            OnData = (p, _) =>
            {
                p.Transport.Write("bad request"u8);
                throw new MalformedInputException("No such command.");
            },
        };
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync("x"u8.ToArray());

        Assert.Equal("bad request"u8.ToArray(), await peer.ReadToEndAsync());
        Assert.IsType<MalformedInputException>(await protocol.Lost.WithDeadline());
        LogEntry entry = Assert.Single(Logged("MalformedInput"));
        Assert.Equal(LogLevel.Information, entry.Level);
        Assert.Null(entry.Exception);
    }

    [Theory, ReactorStacks]
    public async Task Callback_ChangesAmbientContext_DoesNotLeak(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var ambient = new AsyncLocal<string?>();
        var protocol = new TestProtocol { OnMade = _ => ambient.Value = "mine" };
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();
        string? seen = "unset";
        var second = new TestProtocol { OnMade = _ => seen = ambient.Value };
        await using IListeningPort otherPort = Listen(thread, () => second);
        using Peer other = await Peer.ConnectAsync(otherPort);
        await second.Made.WithDeadline();
        await thread.Turn();

        Assert.Null(seen);
    }

    [Theory, ReactorStacks]
    public async Task Factory_GivesAUsedProtocolAgain_RefusedWithTheReason(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var singleton = new TestProtocol();
        await using IListeningPort port = Listen(thread, () => singleton);
        using Peer first = await Peer.ConnectAsync(port);
        await singleton.Made.WithDeadline();
        using Peer second = await Peer.ConnectAsync(port);

        Assert.Empty(await second.ReadToEndAsync());
        Assert.Contains("singleton", Log.TakeSingle(LogLevel.Error).Exception!.Message, StringComparison.Ordinal);
        Assert.True(singleton.IsConnected);
    }
}
