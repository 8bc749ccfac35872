using LoopBridge;
using LoopBridge.Bridge;
using LoopBridge.Diagnostics;
using LoopBridge.Handlers;
using LoopBridge.Hosting;
using LoopBridge.Kestrel;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using LoopBridge.Resolvers;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers LoopBridge's services.</summary>
public static class LoopBridgeServiceCollectionExtensions
{
    /// <summary>
    /// The loops, their reactors, the resolver and the outbound connection factory. Called by everything else of LoopBridge; on its
    /// own it serves programs that use loops without Kestrel. Registrations made before win.
    /// </summary>
    public static IServiceCollection AddLoopBridge(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<LoopBridgeOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<LoopBridgeOptions>, LoopBridgeOptionsSetup>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<LoopBridgeOptions>, LoopBridgeOptionsValidator>());
        services.AddOptions<ResolverOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<ResolverOptions>, ResolverOptionsSetup>());
        services.AddMetrics();
        services.TryAddSingleton(static provider =>
        {
            LoopBridgeOptions options = provider.GetRequiredService<IOptions<LoopBridgeOptions>>().Value;
            return LoopGroups.Create(
                options.Mode,
                options.LoopCount,
                options.Driver,
                provider.GetService<TimeProvider>(),
                provider.GetRequiredService<ILoggerFactory>().CreateLogger("LoopBridge.Loops"),
                new LoopSupervision
                {
                    OverstayLimit = options.OverstayLimit,
                    StallLimit = options.StallLimit,
                    MaxWorkerThreads = options.MaxWorkerThreads,
                });
        });
        services.AddHostedService<LoopGroupService>();
        services.TryAddSingleton<AcceptCounters>();
        services.TryAddSingleton<LoopMetrics>();
        services.TryAddSingleton<INameResolver, ThreadedResolver>();
        services.TryAddSingleton<IConnectionFactory, LoopConnectionFactory>();
        services.TryAddSingleton<HandlerRunner>();
        services.TryAddSingleton<HandlerEndpoints>();
        services.TryAddScoped<LoopScope>();
        services.TryAddScoped<IEventLoop>(static provider => provider.GetRequiredService<LoopScope>().Loop);
        services.TryAddScoped<IReactor>(static provider => provider.GetRequiredService<LoopScope>().Reactor);
        return services;
    }
}
