using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Middleware.Tests.Pipeline;

/// <summary>SignalR hubs over each of its transports, and on a port of their own.</summary>
public sealed class SignalRTests
{
    public static TheoryData<HubCarrier, LoopBridgeMode, LoopDriver> Cases
    {
        get
        {
            var all = new TheoryData<HubCarrier, LoopBridgeMode, LoopDriver>();
            foreach ((LoopBridgeMode mode, LoopDriver driver) in Engines.All.Select(row => row.Data))
            {
                foreach (HubCarrier carrier in Enum.GetValues<HubCarrier>())
                {
                    all.Add(carrier, mode, driver);
                }
            }

            return all;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    [Contract("K-98"), Contract("K-97")]
    public async Task Hub_CallsStreamsAndBroadcasts_ComeThrough(HubCarrier carrier, LoopBridgeMode mode, LoopDriver driver)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver);
        await using HubClient client = await HubClient.ConnectAsync(carrier, AddressOf(server, carrier));
        await using HubClient other = await HubClient.ConnectAsync(HubCarrier.Raw, AddressOf(server, HubCarrier.Raw));

        Assert.Equal("grüße", (string?)await client.InvokeAsync("Echo", "grüße"));
        string large = new('x', 20_000);
        Assert.Equal(large, (string?)await client.InvokeAsync("Echo", large));
        Assert.Equal(Enumerable.Range(0, 100), await client.StreamAsync("Count", 100));

        await other.SendAsync(new { type = 1, target = "Tell", arguments = (object[])["hello, all"] });
        JsonNode told = (await client.ReceiveAsync())!;
        Assert.Equal(HubClient.Invocation, HubClient.TypeOf(told));
        Assert.Equal("told", (string?)told["target"]);
        Assert.Equal("hello, all", (string?)told["arguments"]![0]);
    }

    [Theory, MemberData(nameof(Cases))]
    [Contract("K-98")]
    public async Task Hub_StreamFromTheClient_IsSummed(HubCarrier carrier, LoopBridgeMode mode, LoopDriver driver)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver);
        await using HubClient client = await HubClient.ConnectAsync(carrier, AddressOf(server, carrier));

        object[] none = [];
        await client.SendAsync(new { type = 1, invocationId = "sum", target = "Sum", arguments = none, streamIds = (string[])["s"] });
        for (int i = 1; i <= 20; i++)
        {
            await client.SendAsync(new { type = 2, invocationId = "s", item = i });
        }

        await client.SendAsync(new { type = 3, invocationId = "s" });
        Assert.Equal(210, (int)(await client.ReceiveAsync())!["result"]!);
    }

    [Theory, MemberData(nameof(Cases))]
    [Contract("K-98"), Contract("K-32")]
    public async Task Server_Stops_TheClientIsToldAndTheConnectionEnds(HubCarrier carrier, LoopBridgeMode mode, LoopDriver driver)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver);
        await using HubClient client = await HubClient.ConnectAsync(carrier, AddressOf(server, carrier));
        await client.InvokeAsync("Echo", "there");

        Task stop = server.App.StopAsync(CancellationToken.None);

        // Over HTTP SignalR breaks off, as it does over stock sockets; on a port of its own the hub says goodbye.
        if (carrier == HubCarrier.Raw)
        {
            Assert.Equal(HubClient.Close, HubClient.TypeOf((await client.ReceiveAsync())!));
            Assert.Null(await client.ReceiveAsync());
        }

        await client.DisposeAsync();
        await stop.WithDeadline();
        await Presence(server).AllGoneAsync();
        Assert.Empty(server.Logs.AtLeast(LogLevel.Warning));
    }

    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-98"), Contract("K-48")]
    public async Task RawHub_IdleConnection_IsPingedByTheServer(LoopBridgeMode mode, LoopDriver driver)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, hub => hub.KeepAliveInterval = TimeSpan.FromMilliseconds(200));
        await using HubClient client = await HubClient.ConnectAsync(HubCarrier.Raw, AddressOf(server, HubCarrier.Raw));

        Assert.Equal(HubClient.Ping, HubClient.TypeOf((await client.ReceiveAnyAsync())!));
        Assert.Equal(HubClient.Ping, HubClient.TypeOf((await client.ReceiveAnyAsync())!));
    }

    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-98"), Contract("K-48")]
    public async Task RawHub_SilentClient_IsGivenUp(LoopBridgeMode mode, LoopDriver driver)
    {
        await using LoopBridgeServer server = await StartAsync(
            mode, driver, hub => hub.ClientTimeoutInterval = TimeSpan.FromMilliseconds(500));
        await using HubClient client = await HubClient.ConnectAsync(HubCarrier.Raw, AddressOf(server, HubCarrier.Raw));

        await client.SendAsync(new { type = HubClient.Ping }); // SignalR watches those who have shown that they ping
        JsonNode? last = await client.ReceiveToEndAsync().WithDeadline();

        Assert.Equal(HubClient.Close, HubClient.TypeOf(last!));
        Assert.IsType<OperationCanceledException>(await Presence(server).AllGoneAsync());
    }

    [Theory, MemberData(nameof(Cases))]
    [Contract("K-98"), Contract("K-87")]
    public async Task Client_Vanishes_TheHubLearnsAndNothingIsLogged(HubCarrier carrier, LoopBridgeMode mode, LoopDriver driver)
    {
        Assert.SkipWhen(carrier == HubCarrier.LongPolling, "Between polls nobody is connected: SignalR waits for the next one.");
        await using LoopBridgeServer server = await StartAsync(mode, driver);
        HubClient client = await HubClient.ConnectAsync(carrier, AddressOf(server, carrier));
        await client.InvokeAsync("Echo", "there");

        await client.DisposeAsync();

        await Presence(server).AllGoneAsync();
        Assert.Empty(server.Logs.AtLeast(LogLevel.Warning));
    }

    private static Uri AddressOf(LoopBridgeServer server, HubCarrier carrier) => server.Addresses[carrier == HubCarrier.Raw ? 1 : 0];

    private static Presence Presence(LoopBridgeServer server) => server.Services.GetRequiredService<Presence>();

    private static Task<LoopBridgeServer> StartAsync(LoopBridgeMode mode, LoopDriver driver, Action<HubOptions>? configure = null)
        => LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel =>
            {
                kestrel.Listen(IPAddress.Loopback, 0);
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHub<TalkHub>());
            },
            app =>
            {
                app.UseLoopBridge();
                app.MapHub<TalkHub>("/hub");
            },
            services => services.AddSingleton<Presence>().AddSignalR(hub => configure?.Invoke(hub)));
}

/// <summary>Who is connected to the hub.</summary>
public sealed class Presence
{
    private readonly TaskCompletionSource<Exception?> _allGone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count;

    internal void Enter() => Interlocked.Increment(ref _count);

    internal void Leave(Exception? reason)
    {
        if (Interlocked.Decrement(ref _count) == 0)
        {
            _allGone.TrySetResult(reason);
        }
    }

    /// <summary>Waits until nobody is, and gives the last one's reason.</summary>
    internal Task<Exception?> AllGoneAsync() => _allGone.Task.WithDeadline();
}

/// <summary>One method of each kind.</summary>
public sealed class TalkHub(Presence presence) : Hub
{
    public string Echo(string text) => text;

    public Task Tell(string text) => Clients.Others.SendAsync("told", text);

    public async IAsyncEnumerable<int> Count(int count, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (int i = 0; i < count; i++)
        {
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            yield return i;
        }
    }

    public async Task<int> Sum(ChannelReader<int> numbers)
    {
        int sum = 0;
        await foreach (int number in numbers.ReadAllAsync(Context.ConnectionAborted))
        {
            sum += number;
        }

        return sum;
    }

    public override Task OnConnectedAsync()
    {
        presence.Enter();
        return Task.CompletedTask;
    }

    public override Task OnDisconnectedAsync(Exception? exception)
    {
        presence.Leave(exception);
        return Task.CompletedTask;
    }
}
