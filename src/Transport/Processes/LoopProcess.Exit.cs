using LoopBridge.Loops;

namespace LoopBridge.Processes;

/// <remarks>
/// The end of the child is one thing, the end of its output another: a grandchild may hold the pipes open, and what was written before the
/// exit may still be unread. Neither waits for the other.
/// </remarks>
public sealed partial class LoopProcess
{
    private readonly TaskCompletionSource<int> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Action<int?>? _exitCallback;
    private volatile bool _exited;
    private int? _status;

    /// <summary>
    /// Gives the exit code, or the negative number of the signal that ended the child; code that awaits it on the loop goes on there. Any
    /// thread.
    /// </summary>
    /// <remarks>
    /// Fails with <see cref="UnknownExitStatusException"/> if somebody else took the status, and with
    /// <see cref="ObjectDisposedException"/> if the loop was closed before the child ended. On other systems than Linux a signal is what
    /// .NET makes of it: on Unix, 128 and its number.
    /// </remarks>
    public Task<int> ExitTask => _exit.Task;

    /// <summary>Whether the end of the child was noticed, or will not be because the loop was closed. Any thread.</summary>
    public bool HasExited => _exited || _exit.Task.IsCompleted;

    /// <summary>Waits for the end of the child. Any thread.</summary>
    /// <param name="raiseError">Whether an exit code other than zero is an exception. Defaults to true.</param>
    /// <param name="cancellationToken">Gives up waiting; the child is left alone.</param>
    /// <returns>The exit code, or the negative number of the signal.</returns>
    /// <exception cref="CalledProcessException">It ended with another exit code than zero, or by a signal.</exception>
    /// <exception cref="UnknownExitStatusException">Somebody else took the status.</exception>
    public async Task<int> WaitForExitAsync(bool raiseError = true, CancellationToken cancellationToken = default)
    {
        int status = await _exit.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        return status != 0 && raiseError ? throw new CalledProcessException(FileName, status) : status;
    }

    /// <summary>
    /// Calls <paramref name="callback"/> on the loop's thread when the child has ended, before code that awaits <see cref="ExitTask"/> goes
    /// on; in a later turn if it has ended already. Replaces the callback before it. Loop thread.
    /// </summary>
    /// <param name="callback">
    /// Told the exit code, or the negative number of the signal; null if somebody else took the status. Null takes the callback back.
    /// </param>
    /// <exception cref="InvalidOperationException">The caller is not on the loop's thread.</exception>
    public void SetExitCallback(Action<int?>? callback)
    {
        if (!Loop.IsOnLoopThread)
        {
            throw new InvalidOperationException(
                "The exit callback is set on the thread of the loop (IEventLoop.AddCallback brings you there).");
        }

        _exitCallback = callback;
        if (_exited && callback is not null)
        {
            Loop.AddCallback(TellCallback);
        }
    }

    private void WatchExit()
    {
        _logger.ProcessStarted(Id, FileName);
        _child!.Watch(Loop, OnExited);
        Loop.Own(_loopEnd);
    }

    private void OnExited(int? status)
    {
        if (_exit.Task.IsCompleted)
        {
            return; // the loop was closed, which was told
        }

        Loop.Disown(_loopEnd);
        _exited = true;
        _status = status;
        LoopResumption.Run(Loop, static process => process.TellCallback(), this);
        if (status is { } known)
        {
            _logger.ProcessExited(Id, known);
            _exit.SetResult(known);
        }
        else
        {
            _logger.ProcessStatusUnknown(Id);
            Fail(new UnknownExitStatusException(FileName, Id));
        }
    }

    private void TellCallback()
    {
        Action<int?>? callback = _exitCallback;
        _exitCallback = null;
        callback?.Invoke(_status);
    }

    private void OnLoopClosed()
    {
        _child!.Abandon();
        Fail(new ObjectDisposedException(nameof(IEventLoop), $"The loop was closed before the process {Id} ended."));
    }

    // It was told, or nobody asked: not a failure that nobody looked at.
    private void Fail(Exception failure)
    {
        _exit.TrySetException(failure);
        _ = _exit.Task.Exception;
    }
}
