namespace LoopBridge.Loops;

/// <summary>
/// The one loop of a process that has one: what <see cref="CurrentLoop"/> falls back to on threads without a loop. Made on first use;
/// nothing runs it by itself. Descends from Tornado's <c>IOLoop.instance</c>. Any thread.
/// </summary>
public static class DefaultLoop
{
    private static readonly Func<IEventLoop> NativeFactory =
        static () => new EventLoop(new EventLoopOptions { Name = "default", MakeCurrent = false });

    private static readonly Lock Gate = new();
    private static Func<IEventLoop>? _factory;
    private static IEventLoop? _instance;

    /// <summary>
    /// How the default loop is made, which is where a program chooses its implementation. Defaults to a native <see cref="EventLoop"/>.
    /// Setting it changes nothing about a default loop that exists.
    /// </summary>
    public static Func<IEventLoop> Factory
    {
        get => Volatile.Read(ref _factory) ?? NativeFactory;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            Volatile.Write(ref _factory, value);
        }
    }

    /// <summary>Whether there is one already.</summary>
    public static bool Exists => Existing is not null;

    /// <summary>The default loop, made by <see cref="Factory"/> if there is none.</summary>
    /// <exception cref="InvalidOperationException">The factory gave none.</exception>
    public static IEventLoop Instance
    {
        get
        {
            if (Existing is { } existing)
            {
                return existing;
            }

            lock (Gate)
            {
                return _instance ??= Factory() ?? throw new InvalidOperationException("The factory of the default loop gave no loop.");
            }
        }
    }

    internal static IEventLoop? Existing => Volatile.Read(ref _instance);

    /// <summary>Makes <paramref name="loop"/> the default one.</summary>
    /// <exception cref="InvalidOperationException">There is one already; it stays.</exception>
    public static void Install(IEventLoop loop)
    {
        ArgumentNullException.ThrowIfNull(loop);
        if (Interlocked.CompareExchange(ref _instance, loop, null) is not null)
        {
            throw new InvalidOperationException(
                "The process has a default loop already: install another one before anything asks for it, or clear that one first.");
        }
    }

    /// <summary>Leaves the process without a default loop; the next use makes one. Closing the loop does this as well.</summary>
    /// <returns>The loop that was the default, which is not closed, or null.</returns>
    public static IEventLoop? Clear() => Interlocked.Exchange(ref _instance, null);

    internal static void Forget(IEventLoop loop) => Interlocked.CompareExchange(ref _instance, null, loop);
}
