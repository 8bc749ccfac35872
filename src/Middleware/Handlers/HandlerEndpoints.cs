using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LoopBridge.Handlers;

/// <summary>Which endpoints serve which handler, so that a port can be found by what answers there.</summary>
internal sealed class HandlerEndpoints
{
    private readonly Lock _lock = new();
    private readonly List<(Type Handler, ListenOptions Options)> _endpoints = [];

    internal void Add(Type handler, ListenOptions options)
    {
        lock (_lock)
        {
            _endpoints.Add((handler, options));
        }
    }

    /// <summary>The bound addresses; Kestrel writes the chosen port back into its options.</summary>
    internal EndPoint[] Find(Type handler)
    {
        lock (_lock)
        {
            return [.. _endpoints.Where(endpoint => endpoint.Handler == handler).Select(endpoint => endpoint.Options.EndPoint)];
        }
    }
}
