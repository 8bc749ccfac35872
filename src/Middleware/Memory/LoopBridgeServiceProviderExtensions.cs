using System.IO.Pipelines;
using System.Net;
using LoopBridge;
using LoopBridge.Handlers;
using LoopBridge.Loops;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Ways to the handlers of a running application, for tests.</summary>
public static class LoopBridgeServiceProviderExtensions
{
    /// <summary>
    /// Connects to a registered protocol or handler without a socket, as if a client had come: the handler gets a scope and runs on one of
    /// the application's loops. Works under a test server.
    /// </summary>
    /// <typeparam name="THandler">The protocol or handler.</typeparam>
    /// <exception cref="InvalidOperationException">It is not registered.</exception>
    public static MemoryConnection Connect<THandler>(this IServiceProvider services)
        => Connect(services, descriptor => descriptor.Type == typeof(THandler), typeof(THandler).Name);

    /// <inheritdoc cref="Connect{THandler}"/>
    /// <param name="services">The application's services.</param>
    /// <param name="name">The name it was registered with; by default the type's name without <c>Protocol</c> or <c>Handler</c>. Case does
    /// not matter.</param>
    public static MemoryConnection Connect(this IServiceProvider services, string name)
        => Connect(services, descriptor => string.Equals(descriptor.Name, name, StringComparison.OrdinalIgnoreCase), name);

    /// <summary>
    /// The addresses of the endpoints that serve <typeparamref name="THandler"/>, with the ports that were bound. Known when the server has
    /// started.
    /// </summary>
    public static IReadOnlyList<EndPoint> GetEndPoints<THandler>(this IServiceProvider services)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.GetRequiredService<HandlerEndpoints>().Find(typeof(THandler));
    }

    /// <summary>
    /// The addresses of the endpoints of a name, with the ports that were bound: one that <c>listenOptions.Named(name)</c> or the
    /// configuration gave (<c>Kestrel:Endpoints:NAME</c>, if served with a protocol or handler), or else that of a protocol or handler.
    /// Known when the server has started.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="name">Case does not matter.</param>
    /// <exception cref="InvalidOperationException">Nothing has that name. The message names what there is.</exception>
    public static IReadOnlyList<EndPoint> GetEndPoints(this IServiceProvider services, string name)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(name);
        var endpoints = services.GetRequiredService<HandlerEndpoints>();
        EndPoint[] named = endpoints.Find(name);
        if (named.Length > 0)
        {
            return named;
        }

        HandlerDescriptor[] registered = [.. services.GetServices<HandlerDescriptor>()];
        HandlerDescriptor? handler = Array.Find(
            registered, descriptor => string.Equals(descriptor.Name, name, StringComparison.OrdinalIgnoreCase));
        return handler is not null ? endpoints.Find(handler.Type) : throw new InvalidOperationException(
            $"No endpoint, protocol or handler is called '{name}'. There are: {string.Join(", ", endpoints.Names.Concat(registered.Select(descriptor => descriptor.Name)).Distinct())}.");
    }

    private static MemoryConnection Connect(IServiceProvider services, Func<HandlerDescriptor, bool> isMeant, string name)
    {
        ArgumentNullException.ThrowIfNull(services);
        HandlerDescriptor[] registered = [.. services.GetServices<HandlerDescriptor>()];
        HandlerDescriptor handler = Array.Find(registered, descriptor => isMeant(descriptor)) ?? throw new InvalidOperationException(
            $"'{name}' is no registered protocol or handler. Registered are: {string.Join(", ", registered.Select(descriptor => descriptor.Name))}.");
        var toHandler = new Pipe(new PipeOptions(useSynchronizationContext: false));
        var toClient = new Pipe(new PipeOptions(useSynchronizationContext: false));
        var connection = new DefaultConnectionContext(
            $"memory-{Guid.NewGuid():N}", new DuplexPipe(toHandler.Reader, toClient.Writer), new DuplexPipe(toClient.Reader, toHandler.Writer));
        CancellationToken stopping = services.GetService<IHostApplicationLifetime>()?.ApplicationStopping ?? CancellationToken.None;
        Task handled = RunAsync();
        return new MemoryConnection(connection.Application!, handled);

        async Task RunAsync()
        {
            HandlerConnection handlerConnection = HandlerConnection.Of(connection, services.GetRequiredService<LoopGroup>(), stopping);
            await handler.RunAsync(services.GetRequiredService<HandlerRunner>(), handlerConnection).ConfigureAwait(false);

            // Not the connection's own dispose: it would pull the token source away from under an abort that is on its way to the pool.
            await connection.Transport.Output.CompleteAsync().ConfigureAwait(false);
            await connection.Transport.Input.CompleteAsync().ConfigureAwait(false);
        }
    }

    private sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
