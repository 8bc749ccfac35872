using System.Runtime.CompilerServices;
using LoopBridge.Loops;
using LoopBridge.Reactors;

namespace LoopBridge.Bridge;

/// <summary>The ways from a loop to its reactor and back.</summary>
public static class ReactorExtensions
{
    private static readonly Lock Creation = new();
    private static readonly ConditionalWeakTable<IEventLoop, ReactorOnLoop> Reactors = [];
    private static readonly ConditionalWeakTable<IReactor, LoopOnReactor> Loops = [];

    /// <summary>
    /// The one reactor that all users of this loop share. That of a loop on a reactor is the reactor below it. Any other is made on first
    /// use; it lives as long as the loop, nobody disposes of it but the host, and exceptions that escape its callbacks go where the loop's
    /// go. Any thread.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The loop is closed.</exception>
    public static IReactor GetReactor(this IEventLoop loop)
    {
        ArgumentNullException.ThrowIfNull(loop);
        return loop is LoopOnReactor { Reactor: { } below } ? below : loop.GetReactorAbove();
    }

    /// <summary>
    /// The one loop that all users of this reactor share, the counterpart of <see cref="GetReactor"/>. That of a reactor on a loop is the
    /// loop below it. Any other is made on first use, and ends with the shutdown of the reactor. Any thread.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The reactor is disposed.</exception>
    public static IEventLoop GetLoop(this IReactor reactor)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        if (reactor is ReactorOnLoop { Loop: { } below })
        {
            return below;
        }

        if (Loops.TryGetValue(reactor, out LoopOnReactor? loop))
        {
            return loop;
        }

        lock (Creation)
        {
            return Loops.GetValue(reactor, static key => LoopOnReactor.EndingWith(key));
        }
    }

    /// <summary>The reactor that stands on this loop.</summary>
    internal static ReactorOnLoop GetReactorAbove(this IEventLoop loop)
    {
        if (Reactors.TryGetValue(loop, out ReactorOnLoop? reactor))
        {
            return reactor;
        }

        // The table alone would let two first users make one each and drop one, which by then has asked the loop for its start.
        lock (Creation)
        {
            return Reactors.GetValue(loop, static key => new ReactorOnLoop(key));
        }
    }

    /// <summary>For one that was made together with its loop, before anybody can have asked for another.</summary>
    internal static void Introduce(ReactorOnLoop reactor) => Reactors.Add(reactor.Loop, reactor);

    /// <summary>The loop's reactor, which is one of ours, if there is one yet.</summary>
    internal static ReactorBase? FindReactor(this IEventLoop loop)
        => loop is LoopOnReactor { Reactor: ReactorBase below } ? below
            : Reactors.TryGetValue(loop, out ReactorOnLoop? above) ? above
            : null;

    /// <summary>From here on <see cref="GetLoop"/> gives this one, which nobody ends but its owner. Before anybody asks.</summary>
    internal static void BindLoop(this IReactor reactor, LoopOnReactor loop) => Loops.Add(reactor, loop);
}
