using System.Collections.Concurrent;
using System.Net.Sockets;
using LoopBridge.Loops;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Kestrel.Adaptive;

/// <summary>What happens to those who block when all the worker threads that there may be are taken.</summary>
public sealed class WorkerBoundTests : IDisposable
{
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _gates = new();
    private readonly SemaphoreSlim _entered = new(0);
    private volatile string _lastPlace = "";

    public void Dispose()
    {
        _entered.Dispose();
        foreach (SemaphoreSlim gate in _gates.Values)
        {
            gate.Dispose();
        }
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-78")]
    public async Task NextOffender_AllWorkersBusy_KeepsTheLoopUntilOneIsFree(LoopBridgeMode mode, LoopDriver driver)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, workers: 1);
        using Socket first = TransportHost.Dial(server.EndPoint());
        using Socket second = TransportHost.Dial(server.EndPoint());
        using Socket innocent = TransportHost.Dial(server.EndPoint());
        await AskAsync(innocent, "hello");
        await BlockAsync(first, "a");
        await AskAsync(innocent, "hello"); // the loop went on: the one thread that there may be beside it has the first one

        await BlockAsync(second, "b");
        Assert.Equal(Place.Loop, _lastPlace);
        PipeExtensions.Eventually(() => NoSpareThread(server).Length > 0, "Nothing was logged.");
        LogEntry entry = Assert.Single(NoSpareThread(server));
        Assert.Equal((108, LogLevel.Warning), (entry.Id.Id, entry.Level));
        Assert.Contains("loop-0", entry.Message, StringComparison.Ordinal);
        Assert.Contains("LoopBridge:MaxWorkerThreads", entry.Message, StringComparison.Ordinal);

        // Nobody can be served now. As soon as the first one returns, its thread has the loop, though the second one blocks on.
        await innocent.SendTextAsync(Request("hello"));
        Release("a");
        await AnsweredAsync(innocent);
        await AnsweredAsync(first);
        Assert.Equal(0, second.Available);
        Release("b");
        await AnsweredAsync(second);
        Assert.Single(NoSpareThread(server)); // however often it was looked at
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-78")]
    public async Task KnownOffenders_AllWorkersBusy_WaitForOneInTurnAndTheLoopIsFree(LoopBridgeMode mode, LoopDriver driver)
    {
        const int Workers = 2;
        await using LoopBridgeServer server = await StartAsync(mode, driver, Workers);
        ElasticThreads threads = server.Services.GetRequiredService<LoopGroup>().Workers;
        using Socket innocent = TransportHost.Dial(server.EndPoint());
        Socket[] offenders = [.. Enumerable.Range(0, 4).Select(_ => TransportHost.Dial(server.EndPoint()))];
        foreach (Socket offender in offenders)
        {
            // Its loop goes on without it: from now on it is known.
            await BlockAsync(offender, "once");
            await AskAsync(innocent, "hello");
            Release("once");
            await AnsweredAsync(offender);
        }

        for (int i = 0; i < Workers; i++)
        {
            await BlockAsync(offenders[i], $"{i}");
            Assert.Equal(Place.Worker, _lastPlace);
        }

        for (int i = Workers; i < offenders.Length; i++)
        {
            await offenders[i].SendTextAsync(Request($"block/{i}"));
            PipeExtensions.Eventually(() => threads.Waiting == i + 1 - Workers, $"{threads.Waiting} wait.");
        }

        await AskAsync(innocent, "hello"); // it needs no worker
        Assert.Equal(Workers + 1, threads.Total); // the loop's is among them

        // First in, first out, as soon as one is free.
        for (int i = 0; i < offenders.Length; i++)
        {
            Release($"{i}");
            await AnsweredAsync(offenders[i]);
            if (i + Workers < offenders.Length)
            {
                Assert.True(await _entered.WaitAsync(Deadline.Default, TestContext.Current.CancellationToken));
                Assert.Equal(Math.Max(offenders.Length - Workers - i - 1, 0), threads.Waiting);
            }
        }

        Assert.Empty(NoSpareThread(server));
        Array.ForEach(offenders, static offender => offender.Dispose());
    }

    private static LogEntry[] NoSpareThread(LoopBridgeServer server)
        => [.. server.Logs.Entries.Where(static entry => entry.Id.Name == "NoSpareThread")];

    private static string Request(string path) => $"GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n";

    private static async Task AskAsync(Socket client, string path)
    {
        await client.SendTextAsync(Request(path));
        await AnsweredAsync(client);
    }

    private static Task<string> AnsweredAsync(Socket client) => client.ReceiveUntilAsync("done\r\n0\r\n\r\n");

    // Returns when the handler blocks.
    private async Task BlockAsync(Socket client, string gate)
    {
        await client.SendTextAsync(Request($"block/{gate}"));
        Assert.True(await _entered.WaitAsync(Deadline.Default, TestContext.Current.CancellationToken));
    }

    private SemaphoreSlim Gate(string name) => _gates.GetOrAdd(name, static _ => new SemaphoreSlim(0));

    private void Release(string gate) => Gate(gate).Release();

    private Task<LoopBridgeServer> StartAsync(LoopBridgeMode mode, LoopDriver driver, int workers) => OneLoopServer.StartAsync(
        mode,
        driver,
        LoopScheduling.Adaptive,
        app =>
        {
            app.MapGet("/hello", static () => "done");
            app.MapGet("/block/{gate}", (string gate) =>
            {
                _lastPlace = Place.OfCaller();
                _entered.Release();
                return Gate(gate).Wait(Deadline.Default) ? "done" : "given up";
            });
        },
        maxWorkerThreads: workers);
}
