using System.Collections.Concurrent;
using LoopBridge.Drivers;

namespace LoopBridge.Bridge;

/// <remarks>
/// Each call is one callback of the loop, so that the calls of the reactor and the callbacks of the loop run in the order in which a thread
/// gave them, whatever other threads give at the same time. A queue of the reactor's own beside the loop's could not promise that. What
/// brings a call there is used again, and steady traffic allocates nothing.
/// </remarks>
public partial class ReactorOnLoop
{
    // So that a burst does not pin its memory for ever: some 50 kB for each reactor.
    private const int MostSpareCarriers = 1024;

    private static readonly Action<object?> RunAction = static carrier => ((Carrier)carrier!).Run();

    private readonly ConcurrentQueue<Carrier> _spareCarriers = new();

    private protected override bool PostCall(Action<object?> call, object? state) => Loop.AddCallback(RunAction, Carry(call, state));

    private protected override void AddBeforePoll(Action<object?> call, object? state) => Loop.CallBeforePoll(RunAction, Carry(call, state));

    // Any thread.
    private Carrier Carry(Action<object?> call, object? state)
    {
        if (!_spareCarriers.TryDequeue(out Carrier? carrier))
        {
            carrier = new Carrier(this);
        }

        carrier.Load(call, state);
        return carrier;
    }

    // Of the user's: guarded.
    private void RunCall(Action<object?> call, object? state)
    {
        if (IsDisposed)
        {
            return; // the disposal overtook it (R-THR-16)
        }

        try
        {
            PresentCall = state is Action or IOnBehalf ? state : call;
            call(state);
        }
        catch (Exception e)
        {
            Report(e, state is Action ? state : call); // user code: the rest of the queue runs (R-THR-08)
        }

        PresentCall = null;

        OnServed();
    }

    /// <summary>Brings a call and its state through the loop, which takes one object.</summary>
    private sealed class Carrier(ReactorOnLoop reactor) : IOnBehalf
    {
        object? IOnBehalf.Behalf => reactor.PresentCall;

        private Action<object?>? _call;
        private object? _state;

        internal void Load(Action<object?> call, object? state)
        {
            _call = call;
            _state = state;
        }

        // Emptied first: the call may be long, and must not be kept alive by it; and it may have another call brought.
        internal void Run()
        {
            Action<object?> call = _call!;
            object? state = _state;
            _call = null;
            _state = null;
            if (reactor._spareCarriers.Count < MostSpareCarriers)
            {
                reactor._spareCarriers.Enqueue(this);
            }

            reactor.RunCall(call, state);
        }
    }
}
