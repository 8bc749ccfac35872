using LoopBridge.Loops;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Bridge;

/// <summary>What the mode of a process decides: which engine is native in its group of loops. All else asks the loops.</summary>
internal static class LoopGroups
{
    /// <summary>Makes a group of loops.</summary>
    /// <param name="mode">Which engine is native.</param>
    /// <param name="count">How many loops. Zero or less: one for each core.</param>
    /// <param name="driver">The mechanism underneath each.</param>
    /// <param name="timeProvider">Their clock. Null: the system's.</param>
    /// <param name="logger">Where exceptions go that escape callbacks, and what the watchdog sees. Null: nowhere.</param>
    /// <param name="supervision">What the watchdog goes by. Null: the defaults.</param>
    internal static LoopGroup Create(
        LoopBridgeMode mode,
        int count = 0,
        LoopDriver driver = LoopDriver.Auto,
        TimeProvider? timeProvider = null,
        ILogger? logger = null,
        LoopSupervision? supervision = null)
        => mode switch
        {
            LoopBridgeMode.ReactorOnLoop => new LoopGroup(count, driver, timeProvider, logger, supervision),
            LoopBridgeMode.LoopOnReactor => new LoopGroup(
                count, name => new NativeReactorEngine(name, driver, timeProvider, logger), logger, supervision),
            _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "There is no such mode."),
        };
}
