using System.Net;
using LoopBridge.Kestrel;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace LoopBridge.Middleware.Tests.Handlers;

/// <summary>A server with one probing handler behind one carrier.</summary>
internal sealed class HandlerServer(LoopBridgeServer server, Carrier carrier, Style style) : IAsyncDisposable
{
    internal LoopBridgeServer Server => server;

    internal Probe Probe => server.Services.GetRequiredService<Probe>();

    internal static async Task<HandlerServer> StartAsync(
        Carrier carrier, Style style, LoopBridgeMode mode, LoopDriver driver, Act act = Act.Echo)
    {
        var probe = new Probe { Act = act };
        LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => Configure(listen, carrier, style, probe)),
            app =>
            {
                app.UseLoopBridge();
                app.MapReactorProtocol<ProbeProtocol>("/probe");
            },
            services => services.AddSingleton(probe).AddScoped<ScopedResource>().AddReactorProtocol<ProbeProtocol>().AddLoopHandler<ProbeHandler>("ProbeHandler"),
            options => options.Enabled = carrier != Carrier.StockSockets);
        return new HandlerServer(server, carrier, style);
    }

    internal Task<Client> ConnectAsync() => carrier switch
    {
        Carrier.Memory => Task.FromResult(Client.Memory(
            style == Style.Reactor ? server.Services.Connect<ProbeProtocol>() : server.Services.Connect<ProbeHandler>())),
        Carrier.Tls => Client.TlsAsync(server.EndPoint()),
        Carrier.WebSocket => Client.WebSocketAsync(new Uri($"ws://{server.EndPoint()}/probe")),
        _ => Client.TcpAsync(server.EndPoint()),
    };

    public async ValueTask DisposeAsync()
    {
        await server.App.StopAsync(CancellationToken.None).WithDeadline();
        foreach (ScopedResource resource in Probe.Resources)
        {
            await resource.Disposed.WithDeadline(); // a connection in memory has no server that would wait for it
        }

        Probe probe = Probe;
        await server.DisposeAsync();
        Assert.Empty(probe.Misplaced);
        Assert.All(probe.Resources, resource => Assert.Equal(1, resource.Disposals));
    }

    private static void Configure(ListenOptions listen, Carrier carrier, Style style, Probe probe)
    {
        if (carrier == Carrier.Tls)
        {
            listen.UseHttps(TestCertificate.Localhost);
        }
        else if (carrier == Carrier.Logging)
        {
            listen.UseConnectionLogging();
        }

        if (carrier is Carrier.Memory or Carrier.WebSocket)
        {
            return; // plain HTTP there
        }

        listen.Use(next => connection =>
        {
            if (connection.Features.Get<ISocketTakeOverFeature>() is { } own)
            {
                connection.Features.Set<ISocketTakeOverFeature>(new CountedTakeOver(own, probe));
            }

            return next(connection);
        });
        if (style == Style.Reactor)
        {
            listen.UseReactorProtocol<ProbeProtocol>();
        }
        else
        {
            listen.UseLoopHandler<ProbeHandler>();
        }
    }

    /// <summary>The connection's own way to its socket, watched.</summary>
    private sealed class CountedTakeOver(ISocketTakeOverFeature own, Probe probe) : ISocketTakeOverFeature
    {
        public bool CanTakeOver(System.IO.Pipelines.IDuplexPipe transport) => own.CanTakeOver(transport);

        public Task TakeOverAsync(SinkStarter begin)
        {
            probe.CountTakeOver();
            return own.TakeOverAsync(begin);
        }
    }
}
