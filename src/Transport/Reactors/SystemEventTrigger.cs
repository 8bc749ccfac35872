namespace LoopBridge.Reactors;

/// <summary>One registration for a system event: the handle to remove it with.</summary>
public sealed class SystemEventTrigger
{
    private readonly Delegate _callback;

    internal SystemEventTrigger(SystemEvent owner, SystemEventPhase phase, Delegate callback)
    {
        Owner = owner;
        Phase = phase;
        _callback = callback;
        Node = new LinkedListNode<SystemEventTrigger>(this);
    }

    internal SystemEvent Owner { get; }

    internal SystemEventPhase Phase { get; }

    /// <summary>Its place in the phase, so that removing it needs no search and can only hit this registration.</summary>
    internal LinkedListNode<SystemEventTrigger> Node { get; }

    /// <summary>The firing that ran it; zero while none has.</summary>
    internal int Firing { get; set; }

    /// <summary>What to name in the log.</summary>
    internal object Source => _callback;

    internal Task? Invoke()
    {
        if (_callback is Func<Task?> function)
        {
            return function();
        }

        ((Action)_callback)();
        return null;
    }
}
