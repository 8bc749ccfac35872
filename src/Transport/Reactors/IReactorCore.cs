using System.Runtime.InteropServices;

namespace LoopBridge.Reactors;

/// <summary>The life of a reactor and the events that mark it. Descends from Twisted's <c>IReactorCore</c>.</summary>
/// <remarks>
/// The life has two events: <see cref="SystemEvents.Startup"/> and <see cref="SystemEvents.Shutdown"/>. Each fires its triggers in three
/// phases, first-registered first, each trigger once. A trigger of the first phase may return a task: the second phase waits for all of
/// them.
/// </remarks>
public interface IReactorCore
{
    /// <summary>Whether the startup has come to its second phase and the shutdown has not.</summary>
    bool Running { get; }

    /// <summary>The signal that stopped the present or the last run, or null.</summary>
    PosixSignal? ExitSignal { get; }

    /// <summary>As <see cref="Run(bool)"/>, with signal handlers.</summary>
    /// <inheritdoc cref="Run(bool)" path="/exception"/>
    void Run();

    /// <summary>Runs the reactor on the calling thread until <see cref="Stop"/> has taken effect, or <see cref="Crash"/>.</summary>
    /// <param name="installSignalHandlers">
    /// Whether SIGINT (Ctrl+C) and SIGTERM stop the reactor from its startup's second phase to the end of this call; a second signal takes
    /// its usual course. Other registrations for them are called as well. Of reactors one upon the other, the outermost run decides for all.
    /// </param>
    /// <exception cref="ReactorAlreadyRunningException">It runs already, or what it is built on does.</exception>
    /// <exception cref="ReactorNotRestartableException">It was stopped before.</exception>
    void Run(bool installSignalHandlers);

    /// <summary>
    /// One turn on the calling thread, for programs that have a dispatcher of their own: what is queued and due runs, and then what is
    /// ready within <paramref name="wait"/>. The first one starts the reactor, as <see cref="Run(bool)"/> does.
    /// </summary>
    /// <param name="wait">
    /// How long to wait at most if there is nothing to do; zero not to wait, <see cref="Timeout.InfiniteTimeSpan"/> for as long as it takes.
    /// A turn waits no longer than until the next delayed call.
    /// </param>
    /// <exception cref="ReactorAlreadyRunningException">It runs already, or what it is built on does.</exception>
    /// <exception cref="ReactorNotRestartableException">It was stopped before.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wait"/> is negative.</exception>
    void Iterate(TimeSpan wait);

    /// <summary>
    /// Begins the shutdown: its triggers run after what is queued and due now, never inside this call. Every registered descriptor is
    /// disconnected, and <see cref="Run(bool)"/> returns after the last trigger. Use <c>CallFromThread(reactor.Stop)</c> on other threads.
    /// </summary>
    /// <exception cref="ReactorNotRunningException">It has not started, or was stopped before.</exception>
    void Stop();

    /// <summary>Ends <see cref="Run(bool)"/> with the present turn, before its poll, with no trigger run and nothing disconnected. It may be run
    /// again.</summary>
    void Crash();

    /// <summary>
    /// Runs <paramref name="callback"/> now if the reactor is <see cref="Running"/>, else after its startup, in the order given.
    /// </summary>
    /// <returns>Null if it was run, in which case its exceptions are the caller's; else what to remove it with.</returns>
    SystemEventTrigger? CallWhenRunning(Action callback);

    /// <summary>
    /// Runs <paramref name="call"/> once before the reactor polls again: after the cross-thread and the delayed calls of the present turn,
    /// or of the next one if descriptors are served now. In the order given, and before a shutdown that is asked for later. One that is
    /// given while such calls run waits for the next turn, which then comes without sleep. Its exceptions are reported.
    /// </summary>
    /// <param name="call">What to run.</param>
    /// <param name="state">Given to <paramref name="call"/>, so that it needs no closure.</param>
    /// <exception cref="ObjectDisposedException">The reactor is disposed.</exception>
    void CallBeforePoll(Action<object?> call, object? state);

    /// <summary>Runs <paramref name="callback"/> when the event fires next.</summary>
    /// <param name="phase">In which of the three phases. A trigger added to the phase that is being run runs with it.</param>
    /// <param name="eventName">One of <see cref="SystemEvents"/>, or a name of one's own for <see cref="FireSystemEvent"/>.</param>
    /// <param name="callback">Its exceptions are reported and stop no other trigger.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such phase.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed.</exception>
    SystemEventTrigger AddSystemEventTrigger(SystemEventPhase phase, string eventName, Action callback);

    /// <inheritdoc cref="AddSystemEventTrigger(SystemEventPhase, string, Action)"/>
    /// <param name="phase">In which of the three phases. A trigger added to the phase that is being run runs with it.</param>
    /// <param name="eventName">One of <see cref="SystemEvents"/>, or a name of one's own for <see cref="FireSystemEvent"/>.</param>
    /// <param name="callback">
    /// The task of one in <see cref="SystemEventPhase.Before"/> delays the next phase until it is done; a failed one is reported and then
    /// counts as done. Tasks of the other phases are only watched for failure. Null means done.
    /// </param>
    SystemEventTrigger AddSystemEventTrigger(SystemEventPhase phase, string eventName, Func<Task?> callback);

    /// <summary>
    /// Takes back a trigger that has not run. One of the first phase that already ran, while that phase lasts, draws a warning only.
    /// </summary>
    /// <exception cref="ArgumentException">It is not registered here: of another reactor, run or removed before.</exception>
    void RemoveSystemEventTrigger(SystemEventTrigger trigger);

    /// <summary>Fires an event. Nothing happens if no trigger was ever added for it, or if it is being fired already.</summary>
    void FireSystemEvent(string eventName);
}
