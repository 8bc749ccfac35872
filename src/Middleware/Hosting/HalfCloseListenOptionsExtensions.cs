using LoopBridge;
using LoopBridge.Kestrel;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Serves, on one endpoint, clients that finish sending before they read.</summary>
public static class HalfCloseListenOptionsExtensions
{
    /// <summary>
    /// Answers clients that end their sending direction right after a request (half-close), which is otherwise taken for their going away:
    /// see <see cref="LoopBridgeOptions.AllowHalfClose"/>, which does this for all endpoints. For HTTP/1 and for raw connections; HTTP/2
    /// takes a client's FIN for the end by itself. For an endpoint of the configuration call it on the <c>ListenOptions</c> of
    /// <c>ConfigurationLoader.Endpoint(name, ...)</c>. Says nothing to connections whose sockets are not ours.
    /// </summary>
    /// <param name="listenOptions">The endpoint.</param>
    /// <returns>The same endpoint.</returns>
    public static ListenOptions UseHalfClose(this ListenOptions listenOptions)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);

        // A middleware, because a transport is told the address of an endpoint and nothing else.
        listenOptions.Use(next => connection =>
        {
            connection.Features.Get<IHalfCloseFeature>()?.AllowHalfClose();
            return next(connection);
        });
        return listenOptions;
    }
}
