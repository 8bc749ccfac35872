using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using LoopBridge.Kestrel;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace LoopBridge.Transport.Tests.Kestrel;

public sealed class ServerTests
{
    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-01"), Contract("K-04")]
    public async Task UseLoopBridge_BeforeOrAfterKestrelsOwn_IsUsedOnce(LoopBridgeMode mode, LoopDriver driver)
    {
        foreach (bool before in new[] { true, false })
        {
            WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
            if (!before)
            {
                builder.WebHost.UseKestrel().UseSockets();
            }

            builder.WebHost.UseLoopBridge(o => (o.Mode, o.Driver) = (mode, driver)).UseLoopBridge();
            if (before)
            {
                builder.WebHost.UseKestrel().UseSockets();
            }

            await using WebApplication app = builder.Build();
            IConnectionListenerFactory[] factories = [.. app.Services.GetServices<IConnectionListenerFactory>()];
            Assert.IsType<LoopTransportFactory>(factories[^1]);
            Assert.Single(factories.OfType<LoopTransportFactory>());
        }
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-02")]
    public async Task Disabled_StockSocketsServe(LoopBridgeMode mode, LoopDriver driver)
    {
        ILoopConnectionFeature? feature = null;
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            app: app => app.MapGet("/", (HttpContext context) =>
            {
                feature = context.Features.Get<ILoopConnectionFeature>();
                return "stock";
            }),
            options: o => o.Enabled = false);
        using HttpClient client = HttpClients.Create();
        Assert.Equal("stock", await client.GetTextAsync(server.Addresses[0]));
        Assert.Null(feature);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-10")]
    public async Task Start_SecondEndPointInUse_FailsNamingIt(LoopBridgeMode mode, LoopDriver driver)
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(TransportHost.AnyPort);
        taken.Listen();
        var inUse = (IPEndPoint)taken.LocalEndPoint!;
        IOException e = await Assert.ThrowsAsync<IOException>(() => LoopBridgeServer.StartAsync(mode, driver, kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Listen(inUse);
        }));
        Assert.Contains(inUse.ToString(), e.Message, StringComparison.Ordinal);
        Assert.IsType<AddressInUseException>(e.InnerException);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-11"), Contract("K-09")]
    public async Task ListenLocalhostAndAnyIP_Serve(LoopBridgeMode mode, LoopDriver driver)
    {
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode, driver, kestrel => kestrel.ListenAnyIP(0), app => app.MapGet("/", () => "any"));
        using HttpClient client = HttpClients.Create();
        Assert.Equal("any", await client.GetTextAsync(new Uri($"http://127.0.0.1:{server.Addresses[0].Port}/")));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-32"), Contract("K-33"), Contract("K-64")]
    public async Task Stop_UnderLoad_NoResponseIsLost(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        const int Clients = 16;
        var entered = new SemaphoreSlim(0);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            app: app => app.MapGet("/", async context =>
            {
                entered.Release();
                await goOn.Task;
                await context.Response.Body.WriteAsync(new byte[200_000], CancellationToken.None);
            }),
            options: o => o.Scheduling = scheduling);
        using HttpClient client = HttpClients.Create();
        Uri address = server.Addresses[0];
        IPEndPoint endPoint = server.EndPoint();
        Task<byte[]>[] answers = [.. Enumerable.Range(0, Clients).Select(_ => client.GetByteArrayAsync(address, CancellationToken.None).WithDeadline())];
        for (int i = 0; i < Clients; i++)
        {
            Assert.True(await entered.WaitAsync(Deadline.Default, TestContext.Current.CancellationToken));
        }

        Task stop = server.DisposeAsync().AsTask();
        PipeExtensions.Eventually(() => !TransportHost.HasListener(endPoint), "The port stayed open.");
        goOn.SetResult();
        Assert.All(await Task.WhenAll(answers), answer => Assert.Equal(200_000, answer.Length));
        await stop.WithDeadline();
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-46"), Contract("K-66")]
    public async Task UseConnectionLogging_WrappedPipes_Serve(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseConnectionLogging("wire")),
            app => app.MapGet("/", () => "logged"),
            options: o => o.Scheduling = scheduling);
        using HttpClient client = HttpClients.Create();
        Assert.Equal("logged", await client.GetTextAsync(server.Addresses[0]));
        Assert.Contains(server.Logs.Entries, entry => entry.Category == "wire");
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-69"), Contract("K-54"), Contract("K-39"), Contract("K-98")]
    public async Task RawHandler_ClientFin_TokenFiresOnceAndTheAnswerStillArrives(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        int fired = 0;
        bool kestrelsFeatures = false;
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Run(async connection =>
            {
                kestrelsFeatures = connection.Features.Get<IConnectionHeartbeatFeature>() is not null
                    && connection.Features.Get<IConnectionLifetimeNotificationFeature>() is not null
                    && connection.Features.Get<IConnectionCompleteFeature>() is not null;
                connection.ConnectionClosed.Register(() => Interlocked.Increment(ref fired));
                ReadResult result;
                do
                {
                    result = await connection.Transport.Input.ReadAsync();
                    connection.Transport.Input.AdvanceTo(result.Buffer.End);
                }
                while (!result.IsCompleted);
                await connection.ClosedAsync();
                await connection.Transport.Output.WriteTextAsync("answer");
            })),
            options: o => o.Scheduling = scheduling);
        using Socket client = TransportHost.Dial(server.EndPoint());
        await client.SendTextAsync("question");
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("answer", await client.ReceiveTextToEndAsync());

        // Callbacks run last registered first: what the handler waited for has been called before the one that counts.
        PipeExtensions.Eventually(() => Volatile.Read(ref fired) > 0, "The token has not fired for all.");
        await server.App.StopAsync(TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal(1, fired);
        Assert.True(kestrelsFeatures);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-32"), Contract("K-37")]
    public async Task Stop_IdleKeepAliveConnections_EndAtOnceWithFin(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode, driver, app: app => app.MapGet("/", () => "hello"), options: o => o.Scheduling = scheduling);
        using Socket client = TransportHost.Dial(server.EndPoint());
        await client.SendTextAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        await client.ReceiveUntilAsync("hello\r\n0\r\n\r\n");
        Task stop = server.DisposeAsync().AsTask();
        Assert.Empty(await client.ReceiveToEndAsync());
        await stop.WithDeadline();
    }
}
