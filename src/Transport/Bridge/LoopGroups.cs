using LoopBridge.Loops;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Bridge;

/// <summary>What the mode of a process decides: which engine is native in its group of loops. All else asks the loops.</summary>
internal static class LoopGroups
{
    /// <inheritdoc cref="LoopGroup(int, LoopDriver, TimeProvider?, ILogger?)"/>
    internal static LoopGroup Create(
        LoopBridgeMode mode, int count = 0, LoopDriver driver = LoopDriver.Auto, TimeProvider? timeProvider = null, ILogger? logger = null)
        => mode switch
        {
            LoopBridgeMode.ReactorOnLoop => new LoopGroup(count, driver, timeProvider, logger),
            LoopBridgeMode.LoopOnReactor => new LoopGroup(
                count, name => new NativeReactorEngine(name, driver, timeProvider, logger), logger),
            _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "There is no such mode."),
        };
}
