using LoopBridge.Loops;

namespace LoopBridge.Kestrel;

/// <summary>On each connection whose socket runs on one of our loops: which one.</summary>
public interface ILoopConnectionFeature
{
    /// <summary>The loop of the connection.</summary>
    IEventLoop Loop { get; }
}
