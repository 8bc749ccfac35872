using LoopBridge.Http;
using LoopBridge.Kestrel;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Gives HTTP handlers the loop of their connection.</summary>
public static class LoopBridgeApplicationBuilderExtensions
{
    /// <summary>
    /// From here on in the pipeline, <see cref="LoopBridge.Loops.IEventLoop"/> and <see cref="LoopBridge.Reactors.IReactor"/> are those of
    /// the request's connection wherever they are injected, <see cref="ILoopConnectionFeature"/> tells the loop, and WebSockets are
    /// accepted. Behind a test server or stock sockets it is one of the process's loops.
    /// </summary>
    /// <remarks>For WebSocket options of your own call <c>UseWebSockets(options)</c> before it: the first of them serves.</remarks>
    public static IApplicationBuilder UseLoopBridge(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.UseWebSockets();
        var scopes = app.ApplicationServices.GetRequiredService<IServiceScopeFactory>();
        return app.Use(next => context =>
        {
            // Nothing is resolved here: most requests never ask for a loop, nor for a scope at all. By key, because a generic method of an
            // interface is looked up by the runtime at each call.
            if (context.Features[typeof(ILoopConnectionFeature)] is ILoopConnectionFeature feature)
            {
                context.Features[typeof(IServiceProvidersFeature)] = LoopRequestServices.For(context, scopes, feature);
            }

            return next(context);
        });
    }
}
