using System.Diagnostics.CodeAnalysis;
using System.Net.WebSockets;
using LoopBridge.Handlers;
using LoopBridge.Loops;
using LoopBridge.Protocols;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Serves reactor protocols over WebSockets.</summary>
public static class LoopBridgeEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Serves <typeparamref name="TProtocol"/> to WebSockets at <paramref name="pattern"/>. The payloads of messages are the stream's
    /// bytes, in both directions; where a message ends means nothing. Anything but a WebSocket is answered with 426 Upgrade Required. Needs
    /// <c>app.UseLoopBridge()</c> before it.
    /// </summary>
    /// <exception cref="InvalidOperationException"><c>services.AddReactorProtocol</c> was not called for the type.</exception>
    public static IEndpointConventionBuilder MapReactorProtocol<TProtocol>(this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern)
        where TProtocol : Protocol
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        IServiceProvider services = endpoints.ServiceProvider;
        if (services.GetService<IServiceProviderIsService>()?.IsService(typeof(TProtocol)) is not true)
        {
            throw new InvalidOperationException(
                $"{typeof(TProtocol).Name} is not registered: call builder.Services.AddReactorProtocol<{typeof(TProtocol).Name}>() before the application is built.");
        }

        var runner = services.GetRequiredService<HandlerRunner>();
        var group = services.GetRequiredService<LoopGroup>();
        CancellationToken stopping = services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        return endpoints.Map(pattern, async (HttpContext context) =>
        {
            if (!context.WebSockets.IsWebSocketRequest)
            {
                // RFC 9110, 15.5.22: the answer names the protocol to upgrade to; 7.8: as a connection option, too, where connections have
                // them.
                context.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
                context.Response.Headers.Connection = "Upgrade, close";
                context.Response.Headers.Upgrade = "websocket";
                return;
            }

            using WebSocket webSocket = await context.WebSockets.AcceptWebSocketAsync().ConfigureAwait(false);
            await runner.RunProtocolAsync<TProtocol>(HandlerConnection.Of(webSocket, HttpConnectionInfo.Of(context, stopping), group)).ConfigureAwait(false);
        }).WithDisplayName($"{pattern} {typeof(TProtocol).Name} (WebSocket)");
    }
}
