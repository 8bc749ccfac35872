using LoopBridge;
using LoopBridge.Handlers;
using LoopBridge.Loops;
using LoopBridge.Protocols;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Serves an endpoint with a reactor protocol or a loop handler.</summary>
public static class LoopBridgeConnectionBuilderExtensions
{
    /// <summary>
    /// Each connection of this endpoint gets a <typeparamref name="TProtocol"/> of its own, built by DI. On a plain LoopBridge connection
    /// it sits directly on the socket; behind a connection middleware (TLS, logging), or on another transport, it runs over the pipe and
    /// behaves the same.
    /// </summary>
    /// <exception cref="InvalidOperationException"><c>services.AddReactorProtocol</c> was not called for the type.</exception>
    public static IConnectionBuilder UseReactorProtocol<TProtocol>(this IConnectionBuilder builder)
        where TProtocol : Protocol
        => Use(builder, typeof(TProtocol), nameof(LoopBridgeHandlerServiceCollectionExtensions.AddReactorProtocol), static (runner, connection) => runner.RunProtocolAsync<TProtocol>(connection));

    /// <summary>
    /// Each connection of this endpoint gets a <typeparamref name="THandler"/> of its own, built by DI; where it sits: see
    /// <see cref="UseReactorProtocol{TProtocol}"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException"><c>services.AddLoopHandler</c> was not called for the type.</exception>
    public static IConnectionBuilder UseLoopHandler<THandler>(this IConnectionBuilder builder)
        where THandler : class, ILoopHandler
        => Use(builder, typeof(THandler), nameof(LoopBridgeHandlerServiceCollectionExtensions.AddLoopHandler), static (runner, connection) => runner.RunLoopHandlerAsync<THandler>(connection));

    private static IConnectionBuilder Use(IConnectionBuilder builder, Type handler, string registration, Func<HandlerRunner, HandlerConnection, Task> run)
    {
        ArgumentNullException.ThrowIfNull(builder);
        IServiceProvider services = builder.ApplicationServices;
        if (services.GetService<IServiceProviderIsService>()?.IsService(handler) is not true)
        {
            throw new InvalidOperationException($"{handler.Name} is not registered: call builder.Services.{registration}<{handler.Name}>() before the application is built.");
        }

        var runner = services.GetRequiredService<HandlerRunner>();
        var group = services.GetRequiredService<LoopGroup>();
        CancellationToken stopping = services.GetService<IHostApplicationLifetime>()?.ApplicationStopping ?? CancellationToken.None;
        if (builder is ListenOptions options)
        {
            services.GetRequiredService<HandlerEndpoints>().Add(handler, options);
        }

        return builder.Run(connection => run(runner, HandlerConnection.Of(connection, group, stopping)));
    }
}
