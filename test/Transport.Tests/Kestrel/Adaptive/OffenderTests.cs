using System.Net.Sockets;
using LoopBridge.Kestrel;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LoopBridge.Transport.Tests.Kestrel.Adaptive;

/// <summary>Who overstays on a loop goes on elsewhere, and comes back.</summary>
public sealed class OffenderTests : IDisposable
{
    // A quarter of it is what a good run may take, which a loaded machine must keep.
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(200);

    private readonly SemaphoreSlim _entered = new(0);
    private readonly ManualResetEventSlim _released = new();

    public void Dispose()
    {
        _entered.Dispose();
        _released.Dispose();
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-78"), Contract("K-79")]
    public async Task Connection_ThatOverstayed_RunsOnWorkersUntilItBehaves(LoopBridgeMode mode, LoopDriver driver)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver);
        using Socket client = TransportHost.Dial(server.EndPoint());
        await AssertOnLoopAsync(server, client);
        await OverstayAsync(server, client);

        Assert.Equal(Place.Worker, await AskAsync(client, "where"));
        await ComesBackAsync(client, ConnectionStanding.GoodRuns - 2);
        await OverstayAsync(server, client);
        await ComesBackAsync(client, ConnectionStanding.GoodRuns);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-78")]
    public async Task Endpoint_WithSeveralOffenders_TriesNewConnectionsOnWorkers(LoopBridgeMode mode, LoopDriver driver)
    {
        var clock = new ManualTimeProvider(TimeSpan.FromDays(1));
        await using LoopBridgeServer server = await StartAsync(mode, driver, clock);
        using Socket old = TransportHost.Dial(server.EndPoint());
        await AssertOnLoopAsync(server, old);
        while (Overstays(server).Length <= EndpointStanding.ToleratedOffences)
        {
            using Socket fresh = TransportHost.Dial(server.EndPoint());
            await AssertOnLoopAsync(server, fresh);
            await OverstayAsync(server, fresh);
        }

        using Socket tried = TransportHost.Dial(server.EndPoint());
        Assert.Equal(Place.Worker, await AskAsync(tried, "where"));
        await ComesBackAsync(tried, ConnectionStanding.GoodRuns - 2);
        await AssertOnLoopAsync(server, old);

        clock.Advance(EndpointStanding.LongestMemory);
        using Socket later = TransportHost.Dial(server.EndPoint());
        await AssertOnLoopAsync(server, later);
    }

    // Or not there any more: a machine that keeps a run from its processor for the limit makes an offender of it, which the log tells.
    private static async Task AssertOnLoopAsync(LoopBridgeServer server, Socket client)
    {
        string where = await AskAsync(client, "where");
        if (where == Place.Worker)
        {
            string id = await AskAsync(client, "id");
            PipeExtensions.Eventually(
                () => Array.Exists(Overstays(server), entry => entry.Message.Contains($"\"{id}\"", StringComparison.Ordinal)),
                "It runs on a worker, and has not overstayed.");
            return;
        }

        Assert.Equal(Place.Loop, where);
    }

    private static LogEntry[] Overstays(LoopBridgeServer server)
        => [.. server.Logs.Entries.Where(static entry => entry.Id.Name == "ConnectionOverstayed")];

    // The handler blocks until another connection is answered, which its loop does not do before another thread has it.
    private async Task OverstayAsync(LoopBridgeServer server, Socket client)
    {
        _released.Reset();
        using Socket other = TransportHost.Dial(server.EndPoint());
        await client.SendTextAsync(Request("block"));
        Assert.True(await _entered.WaitAsync(Deadline.Default, TestContext.Current.CancellationToken));
        Assert.Equal("done", await AskAsync(other, "release"));
        Assert.Equal("released", await AnswerAsync(client));
    }

    private static async Task ComesBackAsync(Socket client, int atLeast)
    {
        int onWorkers = 0;
        while (await AskAsync(client, "where") is var where && where != Place.Loop)
        {
            Assert.Equal(Place.Worker, where);
            Assert.InRange(++onWorkers, 0, 10_000); // not each run is good on a loaded machine
        }

        Assert.True(onWorkers >= atLeast, $"It came back after {onWorkers} runs.");
    }

    private static string Request(string path) => $"GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n";

    private static async Task<string> AskAsync(Socket client, string path)
    {
        await client.SendTextAsync(Request(path));
        return await AnswerAsync(client);
    }

    private static async Task<string> AnswerAsync(Socket client)
    {
        string answer = await client.ReceiveUntilAsync(";");
        return answer[(answer.LastIndexOf('\n') + 1)..^1];
    }

    private Task<LoopBridgeServer> StartAsync(LoopBridgeMode mode, LoopDriver driver, TimeProvider? clock = null)
        => OneLoopServer.StartAsync(
            mode,
            driver,
            LoopScheduling.Adaptive,
            app =>
            {
                MapGet(app, "/where", static _ => Place.OfCaller());
                MapGet(app, "/id", static context => context.Connection.Id);
                MapGet(app, "/block", _ =>
                {
                    _entered.Release();
                    return _released.Wait(Deadline.Default) ? "released" : "given up";
                });
                MapGet(app, "/release", _ =>
                {
                    _released.Set();
                    return "done";
                });
            },
            overstayLimit: Limit,
            services: services =>
            {
                if (clock is not null)
                {
                    services.Add(new(typeof(TimeProvider), clock));
                }
            });

    // Within the run that has read the request, and with a length, so that the answer ends with its text.
    private static void MapGet(WebApplication app, string path, Func<HttpContext, string> answer) => app.MapGet(path, (HttpContext context) =>
    {
        string text = answer(context) + ";";
        context.Response.ContentLength = text.Length;
        return context.Response.WriteAsync(text);
    });
}
