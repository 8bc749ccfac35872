namespace LoopBridge.Middleware.Tests;

/// <summary>Both modes, for tests of what must be the same in them.</summary>
public sealed class Modes : TheoryData<LoopBridgeMode>
{
    public Modes() => AddRange(Enum.GetValues<LoopBridgeMode>());
}
