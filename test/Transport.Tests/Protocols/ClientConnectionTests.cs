using System.Net;
using LoopBridge.Protocols;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>Connections of ours at both ends, and what is different where a connector made them.</summary>
public sealed class ClientConnectionTests : ProtocolContract
{
    private ConnectorOptions Connecting => new() { Transport = Options };

    [Theory, ReactorStacks]
    [Contract("R-TCPC-19")]
    public async Task Pause_InConnectionMadeOfAClient_NothingUntilResume(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var server = new TestProtocol { OnMade = p => p.Transport.Write("hello"u8) };
        await using IListeningPort port = Listen(thread, () => server);
        var client = new TestProtocol { OnMade = p => p.Transport.PauseProducing() };
        await ConnectAsync(thread, port, client);
        await server.Made.WithDeadline();
        await thread.Turn(10); // in which the greeting would have come

        Assert.Equal(["made"], client.Events);
        await thread.Do(() => client.Transport.ResumeProducing());
        await client.WaitForBytes(5).WithDeadline();
        Assert.Equal(["made", "resumed", "data"], client.Events);
    }

    [Theory, ReactorStacks("client", "server")]
    [Contract("R-CONN-08"), Contract("R-CONN-09"), Contract("R-INV-03")]
    public async Task Abort_TwiceAndLose_OneLossOnEachSideWithItsReason(ReactorStack stack, string side)
    {
        ReactorThread thread = StartReactor(stack);
        var server = new TestProtocol();
        await using IListeningPort port = Listen(thread, () => server);
        var client = new TestProtocol();
        await ConnectAsync(thread, port, client);
        await server.Made.WithDeadline();
        (TestProtocol aborting, TestProtocol other) = side == "client" ? (client, server) : (server, client);

        await thread.Do(() =>
        {
            aborting.Transport.AbortConnection();
            aborting.Transport.AbortConnection();
            aborting.Transport.LoseConnection();
            Assert.False(aborting.Lost.IsCompleted);
        });
        Assert.IsType<ConnectionAbortedLocallyException>(await aborting.Lost.WithDeadline());
        Assert.IsType<ConnectionLostException>(await other.Lost.WithDeadline());
        await thread.Turn();

        Assert.Equal(["made", "lost"], aborting.Events);
        Assert.Equal(["made", "lost"], other.Events);
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-13")]
    public async Task ConnectTcp_Refused_NeverToldWithinTheCall(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        IListeningPort port = Listen(thread, () => null);
        await port.StopListeningAsync().WithDeadline(); // nobody listens there now
        var factory = new RecordingFactory();
        await thread.Do(() =>
        {
            thread.Reactor.ConnectTcp((IPEndPoint)port.Host, factory, Connecting);
            Assert.Equal(["start", "started"], factory.Events);
        });

        Assert.IsType<ConnectionRefusedException>(await factory.Ended.WithDeadline());
        await thread.Turn();
        Assert.Equal(["start", "started", "failed", "stop"], factory.Events);
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-28")]
    public async Task ConnectionLost_ItsSocketIsClosed(ReactorStack stack)
    {
        SkipUnless(OperatingSystem.IsLinux(), "open descriptors are listed on Linux");
        ReactorThread thread = StartReactor(stack);
        var server = new TestProtocol();
        await using IListeningPort port = Listen(thread, () => server);
        IReadOnlyList<string> openInTheLoss = [];
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var client = new TestProtocol
        {
            OnLost = (_, _) =>
            {
                openInTheLoss = LeakCheck.Open();
                lost.SetResult();
            },
        };
        await ConnectAsync(thread, port, client);
        await server.Made.WithDeadline();
        IReadOnlyList<string> open = await thread.Ask(LeakCheck.Open);
        await thread.Do(() => server.Transport.AbortConnection());
        await lost.Task.WithDeadline();

        // By inode, so that a number that is in use again is none that was there before. The port may be taken again, too, but the system
        // itself refuses that now and then for a moment after a reset.
        Assert.Equal(2, open.Except(openInTheLoss).Count()); // both ends
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-23")]
    public async Task Loss_ConnectorAndFactoryLiveOn_TheProtocolDoesNot(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        await using IListeningPort port = Listen(thread, () => new TestProtocol { OnMade = p => p.Transport.LoseConnection() });
        var factory = new ForgettingFactory();
        IConnector connector = await thread.Ask(() => thread.Reactor.ConnectTcp((IPEndPoint)port.Host, factory, Connecting));
        await factory.Lost.WithDeadline();
        for (int i = 0; i < 50 && factory.Built!.IsAlive; i++)
        {
            await thread.Turn(); // stale locals leave the reactor's stack
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(factory.Built!.IsAlive);
        GC.KeepAlive(connector);
    }

    private async Task ConnectAsync(ReactorThread thread, IListeningPort port, TestProtocol client)
    {
        var factory = new RecordingFactory { OnBuild = () => client };
        await thread.Do(() => thread.Reactor.ConnectTcp((IPEndPoint)port.Host, factory, Connecting));
        await client.Made.WithDeadline();
    }

    private sealed class ForgettingFactory : ClientFactory
    {
        private readonly TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal WeakReference? Built { get; private set; }

        internal Task Lost => _lost.Task;

        public override Protocol? BuildProtocol(EndPoint? peer)
        {
            var protocol = new TestProtocol();
            Built = new WeakReference(protocol);
            return protocol;
        }

        public override void ClientConnectionLost(IConnector connector, Exception reason) => _lost.SetResult();
    }
}
