using LoopBridge.Handlers;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>What an endpoint of Kestrel may be given besides what it serves.</summary>
public static class LoopBridgeListenOptionsExtensions
{
    /// <summary>
    /// Names an endpoint, so that its port can be found with <c>services.GetEndPoints(name)</c>: Kestrel's own list of addresses has raw
    /// endpoints, too, as <c>http://…</c>, and no names. Endpoints of the configuration that are served with
    /// <c>UseReactorProtocol</c> or <c>UseLoopHandler</c> have their name already.
    /// </summary>
    /// <param name="options">The endpoint.</param>
    /// <param name="name">Case does not matter. An endpoint that had the name before loses it.</param>
    /// <returns>The same endpoint.</returns>
    /// <exception cref="InvalidOperationException">LoopBridge is not registered: <c>UseLoopBridge</c> was not called.</exception>
    public static ListenOptions Named(this ListenOptions options, string name)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrEmpty(name);
        options.ApplicationServices.GetRequiredService<HandlerEndpoints>().Name(name, options);
        return options;
    }
}
