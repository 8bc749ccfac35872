using System.Runtime.CompilerServices;
using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using LoopBridge.Resolvers;

namespace LoopBridge.Protocols;

/// <summary>What the connections of one reactor are made with, unless the call says otherwise.</summary>
internal sealed class ReactorNetwork
{
    private static readonly ConditionalWeakTable<IReactor, ReactorNetwork> Networks = [];

    private INameResolver? _resolver;

    internal INameResolver Resolver
    {
        get => _resolver ?? DefaultResolver.Instance;
        set => _resolver = value;
    }

    internal TransportOptions Options { get; set; } = TransportOptions.Default;

    internal static ReactorNetwork Of(IReactor reactor) => Networks.GetValue(reactor, static _ => new ReactorNetwork());

    /// <summary>The reactor of a loop, if it has one; none is made for it. Any thread.</summary>
    internal static IReactor? FindReactor(IEventLoop loop)
        => loop is LoopOnReactor { Reactor: { } below } ? below : loop.FindReactor();

    /// <summary>Where a reactor's sockets live: the engine knows only loops.</summary>
    internal static IEventLoop LoopOf(IReactor reactor) => reactor.GetLoop();
}
