using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LoopBridge.Middleware.Tests.Pipeline;

/// <summary>The meter <c>LoopBridge</c>: what Kestrel's own cannot tell, for each loop.</summary>
public sealed class LoopMeterTests
{
    private const int Limit = 64 * 1024;

    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-92"), Contract("K-50")]
    public async Task Loops_UnderConnectionsAndPauses_TellEach(LoopBridgeMode mode, LoopDriver driver)
    {
        const int Connections = 6;
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            app: app =>
            {
                app.MapGet("/", () => "hello");
                app.MapPost("/later", async (HttpContext context) =>
                {
                    await goOn.Task;
                    await context.Request.Body.CopyToAsync(Stream.Null);
                    return "read";
                });
            },
            options: static options => options.MaxReadBufferSize = Limit);
        using var meters = new MeterRecorder(server.Services, "LoopBridge");
        using var pools = new MeterRecorder(server.Services, "Microsoft.AspNetCore.MemoryPool");
        var clients = new List<HttpWire>();
        for (int i = 0; i < Connections; i++)
        {
            clients.Add(await HttpWire.ConnectAsync(server.EndPoint()));
            await clients[i].GetAsync("/");
        }

        Assert.Equal(2, meters.Observe("loopbridge.loop.placed").Count);
        Assert.Equal(Connections, Sum("loopbridge.loop.placed"));
        Assert.Equal(Connections, Sum("loopbridge.loop.connections"));
        Assert.All(meters.Observe("loopbridge.loop.turns"), static turns => Assert.True(turns.Value > 0, turns.AllTags));
        Assert.Equal(
            ["loop-0", "loop-1"],
            meters.Observe("loopbridge.loop.placed").Select(static each => (string?)each["loopbridge.loop"]).Order());
        Assert.Equal(0, Sum("loopbridge.loop.read_pauses"));

        Task upload = clients[0].SendAsync((byte[])
            [.. "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"u8, .. new byte[1_000_000]]);
        Assert.True(SpinWait.SpinUntil(() => Sum("loopbridge.loop.read_pauses") == 1, Deadline.Default), "No pause was counted.");
        goOn.SetResult();
        await upload;
        Assert.Equal("read", (await clients[0].ReceiveAnswerAsync())?.Text);

        // What the pools do Kestrel's pools tell themselves, under the owner that we name.
        Assert.Contains(pools.Observe("aspnetcore.memory_pool.rented").Concat(pools.Of("aspnetcore.memory_pool.rented")),
            static rented => rented.Value > 0 && (string?)rented["aspnetcore.memory_pool.owner"] == "kestrel");
        clients.ForEach(static client => client.Dispose());
        Assert.True(SpinWait.SpinUntil(() => Sum("loopbridge.loop.connections") == 0, Deadline.Default), "Connections are still counted.");
        Assert.Equal(Connections, Sum("loopbridge.loop.placed"));

        double Sum(string instrument) => meters.Observe(instrument).Sum(static measured => measured.Value);
    }
}
