using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using LoopBridge.Deferreds;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Reactors;

/// <summary>Runs a reactor for as long as a main function takes. Descends from Twisted's <c>task.react</c>.</summary>
/// <example>
/// <code>
/// return reactor.React(async r =&gt;
/// {
///     await r.DeferLater(TimeSpan.FromSeconds(1));
/// });
/// </code>
/// </example>
public static class ReactorMain
{
    /// <summary>
    /// Runs the reactor on the calling thread, and a function on the reactor. Stops the reactor when what the function returned has ended.
    /// </summary>
    /// <remarks>Whoever stops the reactor earlier ends it too; that is a success, unless the function had failed by then.</remarks>
    /// <param name="reactor">The reactor. It is not disposed of, and cannot be run again.</param>
    /// <param name="main">The function. It is called when the reactor has started, on its thread.</param>
    /// <param name="logger">
    /// Where a failure is told, as an error. Defaults to where the reactor tells of exceptions that escape its callbacks.
    /// </param>
    /// <returns>
    /// The exit code of the program: zero; one if the function failed; or what it asked for with a <see cref="ReactorExitException"/>.
    /// </returns>
    /// <exception cref="ReactorAlreadyRunningException">The reactor runs already, or what it is built on does.</exception>
    /// <exception cref="ReactorNotRestartableException">It was stopped before.</exception>
    /// <exception cref="Exception">The function's own, if the reactor ended before it could be told of.</exception>
    [OverloadResolutionPriority(1)]
    public static int React(this IReactor reactor, Func<IReactor, Deferred> main, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(main);
        return new MainRun(reactor, main, logger).Run();
    }

    /// <inheritdoc cref="React(IReactor, Func{IReactor, Deferred}, ILogger?)"/>
    public static int React(this IReactor reactor, Func<IReactor, Task> main, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(main);
        return reactor.React(r => Deferred.FromTask(main(r)), logger);
    }

    private sealed class MainRun(IReactor reactor, Func<IReactor, Deferred> main, ILogger? logger)
    {
        private ExceptionDispatchInfo? _untold;
        private int _exitCode;
        private bool _hasBegun;
        private bool _isStopping;

        internal int Run()
        {
            if (reactor.Running)
            {
                throw new ReactorAlreadyRunningException();
            }

            SystemEventTrigger shutdown = reactor.AddSystemEventTrigger(
                SystemEventPhase.Before, SystemEvents.Shutdown, () => _isStopping = true);
            SystemEventTrigger? start = reactor.CallWhenRunning(Begin);
            try
            {
                reactor.Run();
            }
            catch (Exception) when (start is not null && !_hasBegun)
            {
                // Refused: nothing of this call stays behind.
                reactor.RemoveSystemEventTrigger(start);
                reactor.RemoveSystemEventTrigger(shutdown);
                throw;
            }

            // A reactor that ended without a further turn has told nobody.
            _untold?.Throw();
            return _exitCode;
        }

        private void Begin()
        {
            _hasBegun = true;
            Deferred done;
            try
            {
                done = main(reactor) ?? throw new InvalidOperationException("The main function returned null in place of a Deferred.");
            }
            catch (Exception exception)
            {
                // The function's: the same as if what it returned had failed.
                End(exception);
                return;
            }

            done.OnSettled(() => OnDone(done));
        }

        private void OnDone(Deferred done)
        {
            try
            {
                done.ObserveOutcome();
            }
            catch (Exception exception)
            {
                // The function's, and the program's to exit with.
                End(exception);
                return;
            }

            Stop();
        }

        private void End(Exception failure)
        {
            _exitCode = failure is ReactorExitException exit ? exit.ExitCode : 1;
            if (failure is ReactorExitException)
            {
                Stop();
            }
            else if (logger is not null)
            {
                logger.ReactorMainFailed(failure);
                Stop();
            }
            else
            {
                // The stop comes a turn later, so that the reactor still has one to tell of it.
                _untold = ExceptionDispatchInfo.Capture(failure);
                reactor.CallFromThread(Tell);
            }
        }

        private void Tell()
        {
            ExceptionDispatchInfo failure = _untold!;
            _untold = null;
            reactor.CallLater(TimeSpan.Zero, Stop);
            failure.Throw();
        }

        private void Stop()
        {
            if (_isStopping)
            {
                return;
            }

            try
            {
                reactor.Stop();
            }
            catch (ReactorNotRunningException)
            {
                // Expected: somebody stopped it in this very turn, and its shutdown has not begun.
            }
        }
    }
}
