using System.Runtime.InteropServices;

namespace LoopBridge.Reactors;

/// <summary>
/// The termination signals of the process while a reactor runs: the first stops the reactor, a further one takes its usual course, so
/// that a shutdown that hangs can still be ended from the terminal.
/// </summary>
/// <remarks>
/// .NET calls every registration, so whatever else the program has for these signals is left alone; it also calls them on a thread of its
/// pool, which makes "from a signal" the same as "from another thread".
/// </remarks>
internal sealed class ReactorSignals(ReactorBase reactor)
{
    private const int None = 0; // no PosixSignal has this value

    private static readonly PosixSignal[] Signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM];

    // A reactor runs on this thread, and it alone has the say about signals: those that it stands on are run by it.
    [ThreadStatic]
    private static bool _isTaken;

    private readonly Lock _lock = new();
    private List<PosixSignalRegistration>? _registrations;
    private bool _isEntered;
    private bool _isWanted;
    private int _exitSignal;

    internal PosixSignal? ExitSignal => Volatile.Read(ref _exitSignal) is var signal and not None ? (PosixSignal)signal : null;

    internal bool AreInstalled
    {
        get
        {
            lock (_lock)
            {
                return _registrations is not null;
            }
        }
    }

    /// <summary>A run begins. False if it is not the one that is asked, and has nothing to leave.</summary>
    internal bool Enter(bool install)
    {
        lock (_lock)
        {
            if (_isTaken || _isEntered)
            {
                return false;
            }

            _isTaken = _isEntered = true;
            _isWanted = install;
            _exitSignal = None;
            return true;
        }
    }

    /// <summary>
    /// A run begins that wants no signals, on whichever threads it will have in turn. Until <see cref="Leave"/> nobody else's is asked.
    /// </summary>
    internal void Decline()
    {
        lock (_lock)
        {
            _isEntered = true;
        }
    }

    /// <summary>Listens, if the run wants that and does not yet.</summary>
    internal void Install()
    {
        lock (_lock)
        {
            if (_isWanted && _registrations is null)
            {
                _registrations = [.. Signals.Select(signal => PosixSignalRegistration.Create(signal, Handle))];
            }
        }
    }

    /// <summary>The run that <see cref="Enter"/> began has ended.</summary>
    internal void Leave()
    {
        List<PosixSignalRegistration>? registrations;
        lock (_lock)
        {
            _isTaken = _isEntered = _isWanted = false;
            registrations = _registrations;
            _registrations = null;
        }

        registrations?.ForEach(static registration => registration.Dispose());
    }

    /// <summary>Any thread.</summary>
    internal void Handle(PosixSignalContext context)
    {
        if (Interlocked.CompareExchange(ref _exitSignal, (int)context.Signal, None) == None)
        {
            context.Cancel = true;
            reactor.CallFromThread(static state => ((ReactorBase)state!).TryStop(), reactor);
        }
    }
}
