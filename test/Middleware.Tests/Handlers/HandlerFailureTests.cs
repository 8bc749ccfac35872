using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using LoopBridge.Protocols;
using LoopBridge.Streams;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Middleware.Tests.Handlers;

/// <summary>Handlers that cannot be built, that were not registered, or that fail in ways that look like something else.</summary>
public sealed class HandlerFailureTests
{
    public enum Way
    {
        Socket,
        Tls,
        Memory,
        WebSocket,
    }

    [Theory]
    [ClassData(typeof(Ways))]
    public async Task Construction_ThatThrows_IsLoggedOnceAndTheClientSeesTheEnd(Way way, bool reactor, LoopBridgeMode mode)
    {
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            LoopDriver.Auto,
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                if (way == Way.Tls)
                {
                    listen.UseHttps(TestCertificate.Localhost);
                }

                if (way != Way.WebSocket)
                {
                    _ = reactor ? listen.UseReactorProtocol<UnbuildableProtocol>() : listen.UseLoopHandler<UnbuildableHandler>();
                }
            }),
            app => app.UseLoopBridge().UseRouting().UseEndpoints(endpoints => endpoints.MapReactorProtocol<UnbuildableProtocol>("/ws")),
            services => services.AddReactorProtocol<UnbuildableProtocol>("Protocol").AddLoopHandler<UnbuildableHandler>("Handler"));
        server.Expect(static entry => entry.Id.Name == "HandlerFailed");

        try
        {
            await using Client client = way switch
            {
                Way.Memory => Client.Memory(server.Services.Connect(reactor ? "Protocol" : "Handler")),
                Way.Tls => await Client.TlsAsync(server.EndPoint()),
                Way.WebSocket => await Client.WebSocketAsync(new Uri($"ws://{server.EndPoint()}/ws")),
                _ => await Client.TcpAsync(server.EndPoint()),
            };
            await client.WaitForEndAsync();
        }
        catch (Exception e) when (e is SocketException or IOException or WebSocketException)
        {
            // The server was faster: the connection was reset before the client knew that it had one.
        }

        await server.App.StopAsync(TestContext.Current.CancellationToken).WithDeadline();
        LogEntry logged = Assert.Single(server.Logs.AtLeast(LogLevel.Error));
        Assert.Equal("HandlerFailed", logged.Id.Name);
        Assert.Contains("Nobody can build this.", logged.ToString(), StringComparison.Ordinal);
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task StreamClosed_OfAnotherStream_IsTheHandlersFailure(LoopBridgeMode mode)
    {
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode, LoopDriver.Auto, services: services => services.AddLoopHandler<OtherStreamHandler>());
        server.Expect(static entry => entry.Exception is StreamClosedException);

        await server.Services.Connect<OtherStreamHandler>().Handled.WithDeadline();

        Assert.Single(server.Logs.AtLeast(LogLevel.Error), static entry => entry.Exception is StreamClosedException);
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task Dispose_OfTheScopeThatThrows_IsLoggedAndTheServerGoesOn(LoopBridgeMode mode)
    {
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode, LoopDriver.Auto, services: services => services.AddReactorProtocol<UndisposableProtocol>());
        server.Expect(static entry => entry.Id.Name == "HandlerFailed");

        for (int i = 0; i < 2; i++)
        {
            await server.Services.Connect<UndisposableProtocol>().DisposeAsync().WithDeadline();
        }

        Assert.Equal(2, server.Logs.AtLeast(LogLevel.Error).Count());
    }

    [Fact]
    public async Task UnregisteredHandler_AtAnEndpoint_IsNamedWithTheRemedy()
    {
        InvalidOperationException protocol = await Assert.ThrowsAsync<InvalidOperationException>(() => LoopBridgeServer.StartAsync(
            default,
            LoopDriver.Auto,
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseReactorProtocol<UnbuildableProtocol>())));
        InvalidOperationException handler = await Assert.ThrowsAsync<InvalidOperationException>(() => LoopBridgeServer.StartAsync(
            default,
            LoopDriver.Auto,
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseLoopHandler<UnbuildableHandler>())));
        InvalidOperationException mapped = await Assert.ThrowsAsync<InvalidOperationException>(() => LoopBridgeServer.StartAsync(
            default, LoopDriver.Auto, app: app => app.MapReactorProtocol<UnbuildableProtocol>("/ws")));

        Assert.Contains("builder.Services.AddReactorProtocol<UnbuildableProtocol>()", protocol.Message, StringComparison.Ordinal);
        Assert.Contains("builder.Services.AddLoopHandler<UnbuildableHandler>()", handler.Message, StringComparison.Ordinal);
        Assert.Contains("builder.Services.AddReactorProtocol<UnbuildableProtocol>()", mapped.Message, StringComparison.Ordinal);
    }

    private static InvalidOperationException Unbuildable() => new("Nobody can build this.");

    private sealed class UnbuildableProtocol : Protocol
    {
        public UnbuildableProtocol() => throw Unbuildable();
    }

    private sealed class UnbuildableHandler : ILoopHandler
    {
        public UnbuildableHandler() => throw Unbuildable();

        public Task HandleAsync(LoopStream stream, CancellationToken stopping) => Task.CompletedTask;
    }

    private sealed class OtherStreamHandler : ILoopHandler
    {
        // As from a stream to a backend that went away.
        public Task HandleAsync(LoopStream stream, CancellationToken stopping) => throw new StreamClosedException();
    }

    private sealed class UndisposableProtocol : Protocol, IDisposable
    {
        public void Dispose() => throw new InvalidOperationException("Nobody can dispose of this.");
    }

    public sealed class Ways : TheoryData<Way, bool, LoopBridgeMode>
    {
        public Ways()
        {
            foreach (LoopBridgeMode mode in Enum.GetValues<LoopBridgeMode>())
            {
                foreach (Way way in Enum.GetValues<Way>())
                {
                    Add(way, true, mode);
                    if (way != Way.WebSocket)
                    {
                        Add(way, false, mode);
                    }
                }
            }
        }
    }
}
