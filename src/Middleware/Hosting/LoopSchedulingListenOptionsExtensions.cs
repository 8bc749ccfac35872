using LoopBridge;
using LoopBridge.Kestrel;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Chooses for one endpoint where its HTTP handlers run.</summary>
public static class LoopSchedulingListenOptionsExtensions
{
    /// <summary>
    /// Where HTTP handlers, and other users of a connection's pipes, run on this endpoint, in place of what
    /// <see cref="LoopBridgeOptions.Scheduling"/> says for the process. For an endpoint of the configuration call it on the
    /// <c>ListenOptions</c> of <c>ConfigurationLoader.Endpoint(name, ...)</c>; for all of them in <c>ConfigureEndpointDefaults</c>. Says
    /// nothing to connections whose sockets are not ours.
    /// </summary>
    /// <param name="listenOptions">The endpoint. What is called on it last wins.</param>
    /// <param name="scheduling">Where.</param>
    /// <returns>The same endpoint.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such scheduling.</exception>
    public static ListenOptions UseLoopScheduling(this ListenOptions listenOptions, LoopScheduling scheduling)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);
        if (!Enum.IsDefined(scheduling))
        {
            throw new ArgumentOutOfRangeException(nameof(scheduling), scheduling, "There is no such scheduling.");
        }

        // A transport is told the address of an endpoint and nothing else, and Kestrel binds copies of those that have several. A middleware
        // is copied with them, and comes before the connection's first read.
        listenOptions.Use(next => connection =>
        {
            connection.Features.Get<ILoopSchedulingFeature>()?.Scheduling = scheduling;
            return next(connection);
        });
        return listenOptions;
    }
}
