using LoopBridge;
using LoopBridge.Kestrel;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Puts Kestrel on LoopBridge's event loops.</summary>
public static class LoopBridgeWebHostBuilderExtensions
{
    /// <summary>
    /// Kestrel's sockets run on our loops from here on, whatever else is registered before or after. Options come from the configuration
    /// section <c>LoopBridge</c>.
    /// </summary>
    /// <param name="builder">The web host.</param>
    /// <returns>The same web host.</returns>
    public static IWebHostBuilder UseLoopBridge(this IWebHostBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);

        // The stock factory stays registered behind ours: it serves when ours is switched off.
        return builder.UseSockets().ConfigureServices(static services =>
        {
            services.AddLoopBridge();

            // Kestrel asks the last one registered first. Once only, and at the end, also when called twice.
            ServiceDescriptor? existing = services.FirstOrDefault(static service => service.ImplementationType == typeof(LoopTransportFactory));
            if (existing is not null)
            {
                services.Remove(existing);
            }

            services.AddSingleton<IConnectionListenerFactory, LoopTransportFactory>();
        });
    }

    /// <inheritdoc cref="UseLoopBridge(IWebHostBuilder)"/>
    /// <param name="builder">The web host.</param>
    /// <param name="configure">Changes the options after the configuration was bound.</param>
    public static IWebHostBuilder UseLoopBridge(this IWebHostBuilder builder, Action<LoopBridgeOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return builder.UseLoopBridge().ConfigureServices(services => services.Configure(configure));
    }
}
