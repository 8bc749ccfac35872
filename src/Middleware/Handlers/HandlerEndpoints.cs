using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LoopBridge.Handlers;

/// <summary>Which endpoints serve which handler and have which name, so that a port can be found by either.</summary>
internal sealed class HandlerEndpoints
{
    private readonly Lock _lock = new();
    private readonly List<Entry> _endpoints = [];

    internal IReadOnlyList<string> Names
    {
        get
        {
            lock (_lock)
            {
                return [.. _endpoints.Select(static endpoint => endpoint.Name).OfType<string>()];
            }
        }
    }

    /// <summary>The endpoint serves this handler.</summary>
    internal void Add(Type handler, ListenOptions options) => Update(options, entry => entry with { Handler = handler });

    /// <summary>The endpoint has this name. When Kestrel binds a changed configuration the new endpoint takes the place of the old.</summary>
    internal void Name(string name, ListenOptions options)
    {
        lock (_lock)
        {
            _endpoints.RemoveAll(endpoint => endpoint.Options != options && IsCalled(endpoint, name));
        }

        Update(options, entry => entry with { Name = name });
    }

    /// <summary>The bound addresses; Kestrel writes the chosen port back into its options.</summary>
    internal EndPoint[] Find(Type handler) => Find(endpoint => endpoint.Handler == handler);

    /// <inheritdoc cref="Find(Type)"/>
    internal EndPoint[] Find(string name) => Find(endpoint => IsCalled(endpoint, name));

    private static bool IsCalled(Entry endpoint, string name) => string.Equals(endpoint.Name, name, StringComparison.OrdinalIgnoreCase);

    private EndPoint[] Find(Func<Entry, bool> isMeant)
    {
        lock (_lock)
        {
            return [.. _endpoints.Where(isMeant).Select(static endpoint => endpoint.Options.EndPoint)];
        }
    }

    private void Update(ListenOptions options, Func<Entry, Entry> change)
    {
        lock (_lock)
        {
            int index = _endpoints.FindIndex(endpoint => endpoint.Options == options);
            if (index < 0)
            {
                _endpoints.Add(change(new Entry(options, Name: null, Handler: null)));
            }
            else
            {
                _endpoints[index] = change(_endpoints[index]);
            }
        }
    }

    private sealed record Entry(ListenOptions Options, string? Name, Type? Handler);
}
