namespace LoopBridge.Loops;

/// <summary>
/// Runs user code from within the engine, whose own calls come outside any synchronization context and must not see its exceptions.
/// </summary>
internal static class LoopResumption
{
    /// <summary>Under the loop's context; what escapes goes to the loop's exception handler. Loop thread.</summary>
    internal static void Run<TState>(IEventLoop loop, Action<TState> action, TState state)
    {
        SynchronizationContext? previous = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(loop.SynchronizationContext);
        try
        {
            action(state);
        }
        catch (Exception e)
        {
            // Not from an async method, which keeps its own, but from a raw continuation or a registration on a token: the loop reports it.
            EscapedException.Report(loop, e, action);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(previous);
        }
    }
}
