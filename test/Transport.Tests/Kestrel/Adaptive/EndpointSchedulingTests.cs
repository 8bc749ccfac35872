using System.Diagnostics;
using System.Net;
using LoopBridge.Kestrel;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LoopBridge.Transport.Tests.Kestrel.Adaptive;

/// <summary>Each endpoint says where its handlers run.</summary>
public sealed class EndpointSchedulingTests
{
    private const string OnTheLoop = $"{Place.Loop}, on the loop";

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-78"), Contract("K-79")]
    public async Task Handler_RunsWhereTheOptionSays(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling);
        await AssertRunsAsync(scheduling, server.Addresses[0]);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-79")]
    public async Task UseLoopScheduling_OfAnEndpoint_OutranksTheOption(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        LoopScheduling[] all = Enum.GetValues<LoopScheduling>();
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling, kestrel =>
        {
            foreach (LoopScheduling own in all)
            {
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseLoopScheduling(own));
            }

            kestrel.Listen(IPAddress.Loopback, 0);
        });
        for (int i = 0; i < all.Length; i++)
        {
            await AssertRunsAsync(all[i], server.Addresses[i]);
        }

        await AssertRunsAsync(scheduling, server.Addresses[^1]);
    }

    // Kestrel binds copies of these.
    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-79"), Contract("K-106")]
    public async Task UseLoopScheduling_InDefaultsAndOnAnyAddress_Serves(LoopBridgeMode mode, LoopDriver driver)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, LoopScheduling.Adaptive, kestrel =>
        {
            kestrel.ConfigureEndpointDefaults(listen => listen.UseLoopScheduling(LoopScheduling.ThreadPool));
            kestrel.ListenAnyIP(0);
            kestrel.ListenAnyIP(0, listen => listen.UseLoopScheduling(LoopScheduling.Inline));
        });
        await AssertRunsAsync(LoopScheduling.ThreadPool, new Uri($"http://127.0.0.1:{server.Addresses[0].Port}"));
        await AssertRunsAsync(LoopScheduling.Inline, new Uri($"http://127.0.0.1:{server.Addresses[1].Port}"));
    }

    [Fact]
    public void UseLoopScheduling_Unknown_IsRefused()
        => Assert.Throws<ArgumentOutOfRangeException>(() => new KestrelServerOptions().Listen(
            IPAddress.Loopback, 0, listen => listen.UseLoopScheduling((LoopScheduling)7)));

    private static string PlaceOf(LoopScheduling scheduling) => scheduling switch
    {
        LoopScheduling.Inline => OnTheLoop,
        LoopScheduling.Adaptive => Place.Loop,
        _ => Place.Pool,
    };

    // With no limit that a handler could overstay by being kept from its processor: it would lose its loop, and rightly say so.
    private static Task<LoopBridgeServer> StartAsync(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling, Action<KestrelServerOptions>? kestrel = null)
        => OneLoopServer.StartAsync(mode, driver, scheduling, MapWhere, kestrel, overstayLimit: Deadline.Default);

    private static void MapWhere(WebApplication app) => app.MapGet("/", (HttpContext context)
        => context.Response.WriteAsync(Place.OfCaller(context.Features.Get<ILoopConnectionFeature>()!.Loop)));

    // Inline, a handler stays where Kestrel began the connection for as long as its next request is always there already.
    private static async Task AssertRunsAsync(LoopScheduling scheduling, Uri address)
    {
        using HttpClient client = HttpClients.Create(connections: 1);
        string place = await client.GetTextAsync(address);
        long begun = Stopwatch.GetTimestamp();
        while (scheduling == LoopScheduling.Inline && place == Place.Pool && Stopwatch.GetElapsedTime(begun) < Deadline.Default)
        {
            place = await client.GetTextAsync(address);
        }

        Assert.Equal(PlaceOf(scheduling), place);
    }
}
