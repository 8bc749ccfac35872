using LoopBridge.Loops;

namespace LoopBridge.Transport.Tests.Kestrel;

/// <summary>Whose thread some code is on.</summary>
internal static class Place
{
    internal const string Loop = "loop";
    internal const string Worker = "worker";
    internal const string Pool = "pool";

    /// <summary>The caller's.</summary>
    internal static string OfCaller()
        => Thread.CurrentThread.IsThreadPoolThread ? Pool
            : Thread.CurrentThread.Name?.StartsWith("LoopBridge loop-", StringComparison.Ordinal) == true ? Loop
            : Thread.CurrentThread.Name == "LoopBridge worker" ? Worker
            : $"the thread '{Thread.CurrentThread.Name}'";

    /// <summary>As <see cref="OfCaller()"/>, and whether the caller is on the loop: a guest of it is not.</summary>
    internal static string OfCaller(IEventLoop loop) => $"{OfCaller()}{(loop.IsOnLoopThread ? ", on the loop" : "")}";
}
