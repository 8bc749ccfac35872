namespace LoopBridge.Reactors;

/// <summary>The <see cref="Cooperator"/> of a task was stopped. Twisted: <c>SchedulerStopped</c>.</summary>
public sealed class CooperatorStoppedException() : InvalidOperationException("The cooperator was stopped.");

/// <summary>A <see cref="CooperativeTask"/> was stopped before its end. Twisted: <c>TaskStopped</c>.</summary>
public sealed class CooperativeTaskStoppedException() : InvalidOperationException("The cooperative task was stopped.");

/// <summary>A <see cref="CooperativeTask"/> was to be paused or stopped that has ended. Twisted: <c>TaskFinished</c>.</summary>
/// <param name="failure">How it ended; null if all its units are done.</param>
public sealed class CooperativeTaskFinishedException(Exception? failure = null)
    : InvalidOperationException("The cooperative task has ended.", failure);
