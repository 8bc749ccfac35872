using System.Runtime.CompilerServices;
using LoopBridge.Loops;

namespace LoopBridge.Bridge;

/// <summary>The way from a loop to its reactor.</summary>
public static class ReactorExtensions
{
    private static readonly Lock Creation = new();
    private static readonly ConditionalWeakTable<IEventLoop, ReactorOnLoop> Reactors = [];

    /// <summary>
    /// The one reactor that all users of this loop share, made on first use; it lives as long as the loop, and
    /// nobody disposes of it but the host. Exceptions that escape its callbacks go where the loop's go. Any thread.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The loop is closed.</exception>
    public static ReactorOnLoop GetReactor(this IEventLoop loop)
    {
        ArgumentNullException.ThrowIfNull(loop);
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

    /// <summary>The loop's reactor if anybody has asked for it yet.</summary>
    internal static ReactorOnLoop? FindReactor(this IEventLoop loop)
        => Reactors.TryGetValue(loop, out ReactorOnLoop? reactor) ? reactor : null;
}
