using System.Net;
using System.Net.Sockets;
using LoopBridge.Kestrel;
using LoopBridge.Loops;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace LoopBridge.Transport.Tests.Kestrel;

/// <summary>Listeners as Kestrel binds, stops and moves them.</summary>
public sealed class ListenerServerTests
{
    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-01"), Contract("K-02")]
    public async Task Start_ALaterFactoryThatRefuses_LeavesTheEndPointToOurs(LoopBridgeMode mode, LoopDriver driver)
    {
        var later = new RefusingFactory();
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            app: app => app.MapGet("/", context => context.Response.WriteAsync($"{context.Features.Get<ILoopConnectionFeature>() is not null}")),
            services: services => services.AddSingleton<IConnectionListenerFactory>(later));
        Assert.Single(later.Asked);
        using HttpClient client = HttpClients.Create();
        Assert.Equal("True", await client.GetTextAsync(server.Addresses[0]));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-05")]
    public async Task Start_EndPointOfNoTransport_FailsAsKestrelSays(LoopBridgeMode mode, LoopDriver driver)
    {
        InvalidOperationException e = await Assert.ThrowsAsync<InvalidOperationException>(
            () => LoopBridgeServer.StartAsync(mode, driver, kestrel => kestrel.Listen(new DnsEndPoint("localhost", 1))));
        Assert.Contains("No registered IConnectionListenerFactory supports endpoint DnsEndPoint", e.Message, StringComparison.Ordinal);
        Assert.Contains("localhost:1", e.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-07")]
    public async Task Start_Http3OnAFixedPort_IsBoundAfterOursToTheSameEndPoint(LoopBridgeMode mode, LoopDriver driver)
    {
        var quic = new RecordingMultiplexedFactory();
        using var port = new ReservedPort();
        IPEndPoint asked = port.EndPoint;
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel => kestrel.Listen(asked, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2AndHttp3;
                listen.UseHttps(HttpClients.Certificate);
            }),
            app => app.MapGet("/", () => "tcp"),
            services => services.AddSingleton<IMultiplexedConnectionListenerFactory>(quic));
        (EndPoint bound, bool afterOurs) = Assert.Single(quic.Bound);
        Assert.Equal(asked, bound);
        Assert.True(afterOurs);
        using HttpClient client = HttpClients.Create();
        Assert.Equal("tcp", await client.GetTextAsync(server.Addresses[0]));
    }

    // Test clients take the last address for their base: with stock sockets that of a handle does not parse.
    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-104"), Contract("K-17"), Contract("K-09")]
    public async Task Start_OnAHandle_ReportsAnAddressThatParses(LoopBridgeMode mode, LoopDriver driver)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(TransportHost.AnyPort);
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode, driver, kestrel => kestrel.ListenHandle((ulong)socket.Handle), app => app.MapGet("/", () => "inherited"));
        Assert.Equal(new Uri($"http://{socket.LocalEndPoint}"), Assert.Single(server.Addresses));
        using HttpClient client = HttpClients.Create();
        Assert.Equal("inherited", await client.GetTextAsync(server.Addresses[0]));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-22"), Contract("K-10")]
    public async Task Start_SecondEndPointInUse_TheFirstIsFreeAgain(LoopBridgeMode mode, LoopDriver driver)
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(TransportHost.AnyPort);
        taken.Listen();
        using var port = new ReservedPort();
        IPEndPoint first = port.EndPoint;
        await Assert.ThrowsAsync<IOException>(() => LoopBridgeServer.StartAsync(mode, driver, kestrel =>
        {
            kestrel.Listen(first);
            kestrel.Listen((IPEndPoint)taken.LocalEndPoint!);
        }));
        Assert.True(Refuses(first));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-20"), Contract("K-36"), Contract("K-106")]
    public async Task Reload_OfOneEndPoint_DrainsAndRebindsItWhileTheOtherServes(LoopBridgeMode mode, LoopDriver driver)
    {
        using var port = new ReservedPort();
        IPEndPoint moved = port.EndPoint;
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            static _ => { },
            app =>
            {
                app.MapGet("/", () => "fast");
                app.MapGet("/slow", async () =>
                {
                    entered.SetResult();
                    await goOn.Task;
                    return "slow";
                });
            },
            configuration: [new("Kestrel:Endpoints:A:Url", $"http://{moved}"), new("Kestrel:Endpoints:B:Url", "http://127.0.0.1:0")]);
        using HttpClient client = HttpClients.Create();
        var address = new Uri($"http://{moved}");
        Uri other = server.Addresses[1];
        Assert.Equal("fast", await client.GetTextAsync(other));
        Task<string> slow = client.GetTextAsync(new Uri(address, "slow"));
        await entered.Task.WithDeadline();

        IConfiguration configuration = server.App.Configuration;
        configuration["Kestrel:Endpoints:A:Protocols"] = nameof(HttpProtocols.Http1);
        ((IConfigurationRoot)configuration).Reload();

        PipeExtensions.Eventually(() => !TransportHost.HasListener(moved), "The endpoint did not close.");
        Assert.Equal("fast", await client.GetTextAsync(other));
        Assert.False(slow.IsCompleted);
        goOn.SetResult();
        Assert.Equal("slow", await slow);
        PipeExtensions.Eventually(() => TransportHost.HasListener(moved), "The endpoint did not come back.");
        Assert.Equal("fast", await client.GetTextAsync(address));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-106")]
    public async Task EndpointDefaults_ApplyToConfiguredEndPointsOfOurs(LoopBridgeMode mode, LoopDriver driver)
    {
        int ours = 0;
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel => kestrel.ConfigureEndpointDefaults(listen => listen.Use(next => connection =>
            {
                Interlocked.Add(ref ours, connection.Features.Get<ILoopConnectionFeature>() is null ? 0 : 1);
                return next(connection);
            })),
            app => app.MapGet("/", () => "fast"),
            configuration: [new("Kestrel:Endpoints:A:Url", "http://127.0.0.1:0")]);
        using HttpClient client = HttpClients.Create();
        Assert.Equal("fast", await client.GetTextAsync(server.Addresses[0]));
        Assert.Equal(1, ours);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-38"), Contract("K-32")]
    public async Task Stop_RequestsInTheKernelsQueue_AreAnswered(LoopBridgeMode mode, LoopDriver driver)
    {
        LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode, driver, app: app => app.MapGet("/", () => "served"), options: o => o.UnbindGrace = Deadline.Default);
        var clients = new List<Socket>();
        Task stop;
        using (HeldLoops.Hold(server.Services.GetRequiredService<LoopGroup>()))
        {
            for (int i = 0; i < 50; i++)
            {
                clients.Add(TransportHost.Dial(server.EndPoint()));
                await clients[i].SendTextAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            }

            stop = server.DisposeAsync().AsTask();
        }

        foreach (Socket client in clients)
        {
            Assert.Contains("served", await client.ReceiveTextToEndAsync(), StringComparison.Ordinal);
            client.Dispose();
        }

        await stop.WithDeadline();
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-38"), Contract("K-32")]
    public async Task Stop_ClientThatHasJustConnected_GetsToItsRequest(LoopBridgeMode mode, LoopDriver driver)
    {
        LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode, driver, app: app => app.MapGet("/", () => "served"), options: o => o.UnbindGrace = Deadline.Default);
        using Socket client = TransportHost.Dial(server.EndPoint());
        Task stop = server.DisposeAsync().AsTask();
        PipeExtensions.Eventually(() => !TransportHost.HasListener(server.EndPoint()), "The port stayed open.");
        Assert.False(stop.IsCompleted);
        await client.SendTextAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        Assert.Contains("served", await client.ReceiveTextToEndAsync(), StringComparison.Ordinal);
        await stop.WithDeadline();
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-32"), Contract("K-33")]
    public async Task Stop_AConnectionThatDoesNotEnd_IsAskedThenAborted(LoopBridgeMode mode, LoopDriver driver)
    {
        IPEndPoint endPoint = null!;
        bool closedWhenAsked = false;
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var reason = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Run(async connection =>
            {
                await connection.Transport.Input.ReadTextAsync(1);
                await connection.Transport.Output.WriteTextAsync("1");
                using (connection.Features.Get<IConnectionLifetimeNotificationFeature>()!.ConnectionClosedRequested.Register(() =>
                {
                    closedWhenAsked = Refuses(endPoint);
                    asked.SetResult();
                }))
                {
                    reason.SetResult(await Record.ExceptionAsync(() => connection.Transport.Input.ReadSoonAsync()));
                }
            })));
        endPoint = server.EndPoint();
        using Socket client = TransportHost.Dial(endPoint);
        await client.SendTextAsync("1");
        await client.ReceiveExactlyAsync(1);
        using var patience = new CancellationTokenSource();
        Task stop = server.App.StopAsync(patience.Token);
        await asked.Task.WithDeadline();
        Assert.True(closedWhenAsked);
        Assert.False(reason.Task.IsCompleted);
        await patience.CancelAsync();
        Assert.IsType<ConnectionAbortedException>(await reason.Task.WithDeadline());
        await client.AssertResetAsync();
        await stop.WithDeadline();
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-37"), Contract("K-22")]
    public async Task Dispose_OnAThreadThatBlocksInItsContext_Ends(LoopBridgeMode mode, LoopDriver driver)
    {
        LoopBridgeServer server = await LoopBridgeServer.StartAsync(mode, driver, app: app => app.MapGet("/", () => "served"));
        IPEndPoint endPoint = server.EndPoint();
        using Socket silent = TransportHost.Dial(endPoint);
        var ended = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            SynchronizationContext.SetSynchronizationContext(new DeafContext());
            ended.SetResult(((IAsyncDisposable)server.App).DisposeAsync().AsTask().Wait(Deadline.Default));
        }).Start();
        Assert.True(await ended.Task.WithDeadline());
        Assert.True(Refuses(endPoint));
    }

    private static bool Refuses(EndPoint endPoint)
    {
        try
        {
            TransportHost.Dial(endPoint).Dispose();
            return false;
        }
        catch (SocketException)
        {
            return true; // what is asked
        }
    }

    private sealed class RefusingFactory : IConnectionListenerFactory, IConnectionListenerFactorySelector
    {
        internal List<EndPoint> Asked { get; } = [];

        public bool CanBind(EndPoint endpoint)
        {
            Asked.Add(endpoint);
            return false;
        }

        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
            => throw new InvalidOperationException("It has refused.");
    }

    /// <summary>Stands where QUIC would: notes what it is to bind, and whether a TCP client is served there by then.</summary>
    private sealed class RecordingMultiplexedFactory : IMultiplexedConnectionListenerFactory
    {
        internal List<(EndPoint EndPoint, bool AfterOurs)> Bound { get; } = [];

        public ValueTask<IMultiplexedConnectionListener> BindAsync(
            EndPoint endpoint, IFeatureCollection? features = null, CancellationToken cancellationToken = default)
        {
            Bound.Add((endpoint, !Refuses(endpoint)));
            return ValueTask.FromResult<IMultiplexedConnectionListener>(new Listener(endpoint));
        }

        private sealed class Listener(EndPoint endPoint) : IMultiplexedConnectionListener
        {
            private readonly TaskCompletionSource<MultiplexedConnectionContext?> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

            public EndPoint EndPoint => endPoint;

            public ValueTask<MultiplexedConnectionContext?> AcceptAsync(
                IFeatureCollection? features = null, CancellationToken cancellationToken = default)
                => new(_end.Task);

            public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
            {
                _end.TrySetResult(null);
                return ValueTask.CompletedTask;
            }

            public ValueTask DisposeAsync() => UnbindAsync();
        }
    }
}
