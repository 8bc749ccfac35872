using System.Diagnostics.CodeAnalysis;
using LoopBridge;
using LoopBridge.Handlers;
using LoopBridge.Protocols;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers reactor protocols and loop handlers.</summary>
public static class LoopBridgeHandlerServiceCollectionExtensions
{
    /// <summary>
    /// Registers a protocol: DI builds one for each connection, in a scope that ends with the connection. It may ask for
    /// <see cref="LoopBridge.Loops.IEventLoop"/> and <see cref="LoopBridge.Reactors.IReactor"/>, and gets those of its connection.
    /// </summary>
    /// <typeparam name="TProtocol">The protocol.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="name">What tests call it. Defaults to the type's name without <c>Protocol</c>.</param>
    public static IServiceCollection AddReactorProtocol<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TProtocol>(
        this IServiceCollection services, string? name = null)
        where TProtocol : Protocol
    {
        services.AddLoopBridge().TryAddScoped<TProtocol>();
        return services.AddSingleton(new HandlerDescriptor(
            typeof(TProtocol), name ?? HandlerDescriptor.DefaultName(typeof(TProtocol)), static (runner, connection) => runner.RunProtocolAsync<TProtocol>(connection)));
    }

    /// <summary>Registers a loop handler: DI builds one for each connection, as <see cref="AddReactorProtocol{TProtocol}"/> says.</summary>
    /// <typeparam name="THandler">The handler.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="name">What tests call it. Defaults to the type's name without <c>Handler</c>.</param>
    public static IServiceCollection AddLoopHandler<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        this IServiceCollection services, string? name = null)
        where THandler : class, ILoopHandler
    {
        services.AddLoopBridge().TryAddScoped<THandler>();
        return services.AddSingleton(new HandlerDescriptor(
            typeof(THandler), name ?? HandlerDescriptor.DefaultName(typeof(THandler)), static (runner, connection) => runner.RunLoopHandlerAsync<THandler>(connection)));
    }
}
