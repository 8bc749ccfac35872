namespace LoopBridge.Reactors;

/// <summary>A reactor was to be stopped that does not run.</summary>
public sealed class ReactorNotRunningException()
    : InvalidOperationException("The reactor is not running: it has not started, or was stopped before.");

/// <summary>A reactor was to be run that runs already, or whose loop does.</summary>
public sealed class ReactorAlreadyRunningException(Exception? innerException = null)
    : InvalidOperationException("The reactor is already running.", innerException);

/// <summary>A reactor was to be run that was stopped before.</summary>
public sealed class ReactorNotRestartableException() : InvalidOperationException("A reactor that was stopped cannot be run again.");

/// <summary>A default reactor was to be installed in a process that has one.</summary>
public sealed class ReactorAlreadyInstalledException() : InvalidOperationException(
    "The process has a default reactor already: install another one before anything asks for it, or clear that one first.");
