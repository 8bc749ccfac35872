using LoopBridge.Loops;

namespace LoopBridge.Protocols;

/// <summary>
/// The surroundings of one callback of a protocol: the loop's synchronization context, and the ambient context (async locals, logging
/// scopes) that the connection was made under. What the callback changes there ends with it, instead of leaking into whatever the loop runs
/// next.
/// </summary>
internal readonly ref struct ProtocolCall
{
    private readonly SynchronizationContext? _outerContext;
    private readonly ExecutionContext? _outerAmbient;

    internal ProtocolCall(IEventLoop loop, ExecutionContext? ambient)
    {
        _outerContext = SynchronizationContext.Current;
        _outerAmbient = ExecutionContext.Capture();
        Restore(ambient);
        SynchronizationContext.SetSynchronizationContext(loop.SynchronizationContext);
    }

    internal void Leave()
    {
        Restore(_outerAmbient);
        SynchronizationContext.SetSynchronizationContext(_outerContext);
    }

    // Null is what a capture gives while the flow is suppressed: there is nothing to restore.
    private static void Restore(ExecutionContext? ambient)
    {
        if (ambient is not null)
        {
            ExecutionContext.Restore(ambient);
        }
    }
}
