namespace LoopBridge.Reactors;

/// <summary>One call on its way to the reactor's thread, with the guard around it.</summary>
internal sealed class CrossThreadCall(ReactorBase reactor, Action<object?> callback, object? state)
{
    internal static readonly Action<object?> RunAction = static call => ((CrossThreadCall)call!).Run();

    private void Run()
    {
        if (reactor.IsDisposed)
        {
            return; // the disposal overtook it (R-THR-16)
        }

        try
        {
            callback(state);
        }
        catch (Exception e)
        {
            reactor.Report(e, state is Action ? state : callback); // user code: the rest of the queue runs (R-THR-08)
        }

        reactor.OnServed();
    }
}
