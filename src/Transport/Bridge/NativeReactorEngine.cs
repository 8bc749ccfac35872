using LoopBridge.Loops;
using LoopBridge.Reactors;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoopBridge.Bridge;

/// <summary>A native reactor with a loop on it, which are each other's: whoever has one of them finds the other.</summary>
internal sealed class NativeReactorEngine : ILoopEngine
{
    private readonly Reactor _reactor;
    private readonly LoopOnReactor _loop;
    private readonly ILogger _logger;

    internal NativeReactorEngine(string name, LoopDriver driver, TimeProvider? timeProvider, ILogger? logger)
    {
        _logger = logger ?? NullLogger.Instance;
        _reactor = new Reactor(new ReactorOptions
        {
            Name = name,
            Driver = driver,
            TimeProvider = timeProvider ?? TimeProvider.System,
            Logger = logger,
            IsInGroup = true,
        });
        _loop = new LoopOnReactor(_reactor, new LoopOnReactorOptions
        {
            Name = name,
            Logger = logger,
            MakeCurrent = false,
            IsInGroup = true,
        });
        _reactor.BindLoop(_loop);

        // What escapes goes one way, whichever of the two was called, and so whoever handles the loop's exceptions gets them all.
        _reactor.ExceptionHandler = _loop.ReportException;
    }

    public string Name => _reactor.Name;

    public IEventLoop Loop => _loop;

    public LoopActivity Activity => _reactor.Activity;

    public LoopStatistics GetStatistics() => _reactor.GetStatistics();

    public void Invite(ILoopGuest guest) => _reactor.Invite(guest);

    public bool Run()
    {
        _logger.LoopStarted(Name, _reactor.DriverName);
        return RunHere(static reactor => reactor.RunInGroup());
    }

    public bool GoOn()
    {
        _reactor.TellOvertaken(); // outside the loop, and so before the thread enters it
        return RunHere(static reactor => reactor.GoOn());
    }

    public void Stop() => _reactor.EndGroupRun();

    public void Dispose()
    {
        _reactor.SendGuestsAway(); // and whoever is invited by the closing: a guest may block
        _loop.CloseForGood(closeDescriptors: false);
        _reactor.CloseForGood();
    }

    private bool RunHere(Func<Reactor, bool> run)
    {
        // The loop enters for its own calls; those of the reactor find it, too.
        using LoopRun entered = CurrentLoop.Enter(_loop);
        bool isMine = true;
        try
        {
            isMine = run(_reactor);
        }
        finally
        {
            if (isMine)
            {
                _logger.LoopStopped(Name);
            }
        }

        return isMine;
    }
}
