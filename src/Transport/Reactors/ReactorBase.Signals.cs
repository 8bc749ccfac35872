using System.Runtime.InteropServices;

namespace LoopBridge.Reactors;

public abstract partial class ReactorBase
{
    /// <inheritdoc />
    public PosixSignal? ExitSignal => Signals.ExitSignal;

    internal ReactorSignals Signals { get; }

    /// <inheritdoc />
    public void Run() => Run(installSignalHandlers: true);

    /// <inheritdoc />
    public void Run(bool installSignalHandlers)
    {
        bool isOutermost = Signals.Enter(installSignalHandlers);
        try
        {
            if (isOutermost && _running)
            {
                Post(static signals => ((ReactorSignals)signals!).Install(), Signals); // suspended, and now resumed: no startup will come
            }

            RunCore();
        }
        finally
        {
            if (isOutermost)
            {
                Signals.Leave();
            }
        }
    }

    /// <summary>As <see cref="Stop"/>, for one who cannot know whether it is under way.</summary>
    internal void TryStop()
    {
        if (_life is Life.Starting or Life.Running)
        {
            Stop();
        }
    }

    /// <summary>Runs what it stands on, until <see cref="EndRun"/>.</summary>
    private protected abstract void RunCore();
}
