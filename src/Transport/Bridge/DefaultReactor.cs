using LoopBridge.Loops;
using LoopBridge.Reactors;

namespace LoopBridge.Bridge;

/// <summary>
/// The one reactor of a process that has one, for code that was written for that; everything else takes its reactor as a parameter or from
/// DI. Made on first use; nothing runs it by itself. Descends from Twisted's <c>twisted.internet.reactor</c> and its <c>install</c>. Any
/// thread.
/// </summary>
public static class DefaultReactor
{
    private static readonly Func<IReactor> OnDefaultLoop = static () => DefaultLoop.Instance.GetReactor();
    private static readonly Lock Gate = new();
    private static Func<IReactor>? _factory;
    private static IReactor? _instance;

    /// <summary>
    /// How the default reactor is made, which is where a program chooses its implementation. Defaults to the reactor of
    /// <see cref="DefaultLoop"/>, so that code of both styles shares one thread. Setting it changes nothing about a default reactor that
    /// exists.
    /// </summary>
    public static Func<IReactor> Factory
    {
        get => Volatile.Read(ref _factory) ?? OnDefaultLoop;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            Volatile.Write(ref _factory, value);
        }
    }

    /// <summary>Whether there is one already.</summary>
    public static bool Exists => Volatile.Read(ref _instance) is not null;

    /// <summary>The default reactor, made by <see cref="Factory"/> if there is none.</summary>
    /// <exception cref="InvalidOperationException">The factory gave none.</exception>
    public static IReactor Instance
    {
        get
        {
            if (Volatile.Read(ref _instance) is { } existing)
            {
                return existing;
            }

            lock (Gate)
            {
                return _instance
                    ??= Factory() ?? throw new InvalidOperationException("The factory of the default reactor gave no reactor.");
            }
        }
    }

    /// <summary>Makes <paramref name="reactor"/> the default one.</summary>
    /// <exception cref="ReactorAlreadyInstalledException">There is one already; it stays.</exception>
    public static void Install(IReactor reactor)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        lock (Gate)
        {
            _instance = _instance is null ? reactor : throw new ReactorAlreadyInstalledException();
        }
    }

    /// <summary>Leaves the process without a default reactor; the next use makes one. For tests.</summary>
    /// <returns>The reactor that was the default, which is not stopped, or null.</returns>
    public static IReactor? Clear()
    {
        lock (Gate)
        {
            IReactor? former = _instance;
            _instance = null;
            return former;
        }
    }
}
