using System.Net;
using LoopBridge.Protocols;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>After each way of aborting, the reactor has nothing of either side left.</summary>
public sealed class AbortLeavesNothingTests : ProtocolContract
{
    [Theory, ReactorStacks]
    [Contract("R-CONN-14"), Contract("R-CONN-07")]
    public Task Abort_InDataReceived(ReactorStack stack) => LeavesNothing(
        stack,
        server: new TestProtocol { OnData = (p, _) => p.Transport.AbortConnection() },
        client: new TestProtocol { OnMade = p => p.Transport.Write("x"u8) });

    [Theory, ReactorStacks]
    [Contract("R-CONN-14"), Contract("R-CONN-08")]
    public Task Abort_Twice_ByTheClient(ReactorStack stack) => LeavesNothing(
        stack,
        server: new TestProtocol { OnMade = p => p.Transport.Write("x"u8) },
        client: new TestProtocol
        {
            OnData = (p, _) =>
            {
                p.Transport.AbortConnection();
                p.Transport.AbortConnection();
            },
        });

    [Theory, ReactorStacks]
    [Contract("R-CONN-14"), Contract("R-CONN-09")]
    public Task Abort_ThenLoseConnection(ReactorStack stack) => LeavesNothing(
        stack,
        server: new TestProtocol
        {
            OnData = (p, _) =>
            {
                p.Transport.AbortConnection();
                p.Transport.LoseConnection();
            },
        },
        client: new TestProtocol { OnMade = p => p.Transport.Write("x"u8) });

    [Theory, ReactorStacks]
    [Contract("R-CONN-14"), Contract("R-CONN-11")]
    public Task Abort_BuffersFull(ReactorStack stack) => LeavesNothing(
        stack,
        server: new TestProtocol
        {
            OnMade = p =>
            {
                p.Transport.Write(new byte[10_000_000]);
                p.Transport.Reactor.CallLater(TimeSpan.FromMilliseconds(1), static t => ((ITransport)t!).AbortConnection(), p.Transport);
            },
        },
        client: new TestProtocol { OnMade = p => p.Transport.PauseProducing(), OnData = (_, _) => Assert.Fail("Paused.") },
        resume: true);

    [Theory, ReactorStacks]
    [Contract("R-CONN-14"), Contract("R-CONN-12")]
    public Task Abort_ThenThrow(ReactorStack stack) => LeavesNothing(
        stack,
        server: new TestProtocol
        {
            OnData = (p, _) =>
            {
                p.Transport.AbortConnection();
                throw new InvalidTimeZoneException("bug");
            },
        },
        client: new TestProtocol { OnMade = p => p.Transport.Write("x"u8) },
        errors: 1);

    [Theory, ReactorStacks]
    [Contract("R-CONN-14"), Contract("R-CONN-10")]
    public Task Abort_FromAPullProducer(ReactorStack stack) => LeavesNothing(
        stack,
        server: new TestProtocol { OnMade = p => p.Transport.RegisterProducer(new AbortingProducer(p.Transport)) },
        client: new TestProtocol());

    private async Task LeavesNothing(ReactorStack stack, TestProtocol server, TestProtocol client, bool resume = false, int errors = 0)
    {
        ReactorThread thread = StartReactor(stack);
        IListeningPort port = Listen(thread, () => server);
        var factory = new RecordingFactory { OnBuild = () => client };
        await thread.Do(() => thread.Reactor.ConnectTcp((IPEndPoint)port.Host, factory, new ConnectorOptions { Transport = Options }));
        await server.Lost.WithDeadline();
        if (resume)
        {
            await client.Made.WithDeadline();
            await thread.Do(() => client.Transport.LoseConnection()); // a paused side does not hear of the reset
        }

        await factory.Ended.WithDeadline();
        await port.StopListeningAsync().WithDeadline();

        await thread.Do(() =>
        {
            Assert.Empty(thread.Reactor.GetReaders());
            Assert.Empty(thread.Reactor.GetWriters());
            Assert.Empty(thread.Reactor.GetWatchers());
            Assert.Empty(thread.Reactor.RemoveAll());
            Assert.Empty(thread.Reactor.GetDelayedCalls());
        });
        Assert.Equal(errors, TakeErrors().Length);
    }

    private sealed class AbortingProducer(ITransport transport) : IPullProducer
    {
        private int _resumed;

        public void ResumeProducing()
        {
            if (++_resumed == 1)
            {
                transport.Write("x"u8);
            }
            else
            {
                transport.AbortConnection();
            }
        }

        public void StopProducing()
        {
        }
    }
}
