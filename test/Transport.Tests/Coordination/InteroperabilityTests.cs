using LoopBridge.Bridge;
using LoopBridge.Deferreds;
using LoopBridge.Loops;
using LoopBridge.Protocols;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>
/// Both styles in one thread. The service takes a line and gives it back in capitals; of a line that is in capitals already it complains.
/// </summary>
public sealed class InteroperabilityTests : LoopContract
{
    /// <summary>Who is started: the loop, or the reactor on it, which starts the loop.</summary>
    public enum Side
    {
        Loop,
        Reactor,
    }

    [Theory, LoopStacks(Side.Loop, Side.Reactor)]
    [Contract("L-GEN-13")]
    public void ReactorServer_LoopClient_OneRequestAndACleanEnd(LoopStack stack, Side side)
    {
        IEventLoop loop = NewLoop(stack);
        using var reactor = new ReactorOnLoop(loop);
        string? answer = null;
        Exception? loss = null;
        Run(loop, reactor, side, async () =>
        {
            var lost = new TaskCompletionSource<Exception>();
            IListeningPort port = reactor.ListenTcp(Capitals.Loopback, ProtocolFactory.Create(() => new CapitalsProtocol(lost)));
            await using (port)
            {
                answer = await Capitals.AskAsync(loop, port.Host, "hello");
                loss = await lost.Task;
            }
        });

        Assert.Equal("HELLO", answer);
        Assert.IsType<LoopBridge.Reactors.ConnectionDoneException>(loss);
    }

    [Theory, LoopStacks(Side.Loop, Side.Reactor)]
    [Contract("L-GEN-13")]
    public void LoopServer_ReactorClient_OneRequestAndACleanEnd(LoopStack stack, Side side)
    {
        IEventLoop loop = NewLoop(stack);
        using var reactor = new ReactorOnLoop(loop);
        string? answer = null;
        Run(loop, reactor, side, async () =>
        {
            await using var server = new CapitalsServer(loop);
            CapitalsClient client = await reactor.ConnectTcp(server.EndPoint, () => new CapitalsClient("hello"));
            answer = await client.Answer;
            Assert.True(loop.IsOnLoopThread);
            await client.Lost;
            await server.Served;
        });

        Assert.Equal("HELLO", answer);
    }

    [Theory, LoopStacks]
    [Contract("L-FUT-11")]
    public void RunSync_MayAwaitADeferredOfTheReactorOnTheLoop(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        using var reactor = new ReactorOnLoop(loop);
        string answer = loop.RunSync(async token =>
        {
            var later = new Deferred<string>();
            reactor.CallLater(TimeSpan.FromMilliseconds(1), () => later.Callback("fired"));
            string first = await later;
            IListeningPort port = reactor.ListenTcp(
                Capitals.Loopback, ProtocolFactory.Create(static () => new CapitalsProtocol(new TaskCompletionSource<Exception>())));
            await using (port)
            {
                CapitalsClient client = await reactor.ConnectTcp(
                    (System.Net.IPEndPoint)port.Host, static () => new CapitalsClient("hello"), cancellationToken: token);
                string second = await client.Answer;
                await client.Lost;
                return first + " " + second;
            }
        }, Deadline.Default);
        Assert.Equal("fired HELLO", answer);
    }

    [Theory, LoopStacks]
    [Contract("L-FUT-14")]
    public void Client_InEachOfFourStyles_HasTheSameOutcome(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        using var reactor = new ReactorOnLoop(loop);
        loop.RunSync(async _ =>
        {
            await using var server = new CapitalsServer(loop);
            Func<string, Task<string>>[] styles =
            [
                text => Capitals.AskAsync(loop, server.EndPoint, text),
                text => ContinueAsync(loop, server.EndPoint, text),
                text => ByDeferred(reactor, server.EndPoint, text).ToTask(),
                text => ByHandlers(reactor, server.EndPoint, text).ToTask(),
            ];
            foreach (Func<string, Task<string>> ask in styles)
            {
                Assert.Equal("HELLO", await ask("hello"));
                CapitalsException error = await Assert.ThrowsAsync<CapitalsException>(() => ask("HELLO"));
                Assert.Equal("HELLO", error.Message);
                Assert.True(loop.IsOnLoopThread);
            }
        }, Deadline.Default);
    }

    private static Task<string> ContinueAsync(IEventLoop loop, System.Net.IPEndPoint server, string text)
        => Capitals.ConnectAsync(loop, server).ContinueWith(
            connected => Capitals.ExchangeAsync(connected.Result, text),
            CancellationToken.None, TaskContinuationOptions.None, loop.Scheduler)
            .Unwrap();

    private static async Deferred<string> ByDeferred(LoopBridge.Reactors.IReactor reactor, System.Net.IPEndPoint server, string text)
    {
        CapitalsClient client = await Deferred.FromTask(reactor.ConnectTcp(server, () => new CapitalsClient(text)));
        string answer = await client.Answer;
        return await Capitals.CheckedAsync(answer, text);
    }

    private static Deferred<string> ByHandlers(LoopBridge.Reactors.IReactor reactor, System.Net.IPEndPoint server, string text)
        => Deferred.FromTask(reactor.ConnectTcp(server, () => new CapitalsClient(text)))
            .Then(client => client.Answer)
            .Then(answer => Capitals.Checked(answer, text));

    private static void Run(IEventLoop loop, ReactorOnLoop reactor, Side side, Func<Task> body)
    {
        Exception? failure = null;
        loop.AddCallback(async () =>
        {
            try
            {
                await body();
            }
            catch (Exception e)
            {
                failure = e; // the test's to see
            }

            if (side == Side.Loop)
            {
                loop.Stop();
            }
            else
            {
                reactor.Stop();
            }
        });
        if (side == Side.Loop)
        {
            loop.StartBounded();
        }
        else
        {
            using var watchdog = new Timer(_ => loop.Stop(), null, Deadline.Default, Timeout.InfiniteTimeSpan);
            reactor.Run();
            Assert.False(reactor.Running);
        }

        Assert.Null(failure);
    }
}
