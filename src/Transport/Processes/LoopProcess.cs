using LoopBridge.Interop;
using LoopBridge.Loops;
using LoopBridge.Streams;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoopBridge.Processes;

/// <summary>
/// A child process whose pipes and whose end are events of a loop: talk to it through <see cref="LoopStream"/>s, and await its exit.
/// Descends from Tornado's <c>Subprocess</c>.
/// </summary>
/// <remarks>
/// <para><b>Linux.</b> The child begins with every signal at its default and none blocked, and with no descriptor but those it was given.
/// Its end is seen through a descriptor of its own (pidfd), never through SIGCHLD: <see cref="System.Diagnostics.Process"/> and any number
/// of loops can have children in the same program. A loop on the managed driver is told by one thread that all such loops
/// share.</para>
/// <para><b>Elsewhere</b> <see cref="System.Diagnostics.Process"/> does the work: its exit codes know no signals, and no descriptors
/// can be given.</para>
/// </remarks>
public sealed partial class LoopProcess : IAsyncDisposable
{
    private readonly ILogger _logger;
    private readonly LoopEnd _loopEnd;

    private LoopProcess(IEventLoop loop, string fileName, ILogger? logger)
    {
        Loop = loop;
        FileName = fileName;
        _logger = logger ?? NullLogger.Instance;
        _loopEnd = new LoopEnd(this);
    }

    /// <summary>Where its streams live and its end is told.</summary>
    public IEventLoop Loop { get; }

    /// <summary>The program, as it was named.</summary>
    public string FileName { get; }

    /// <summary>The process id. After the exit the system may give it to another one. Any thread.</summary>
    public int Id => _child!.Id;

    /// <summary>Writes to the child's standard input, if that is a pipe; closing it is the end of the child's input.</summary>
    public LoopStream? StandardInput { get; private set; }

    /// <summary>Reads what the child writes to its standard output, if that is a pipe.</summary>
    public LoopStream? StandardOutput { get; private set; }

    /// <summary>Reads what the child writes to its standard error, if that is a pipe.</summary>
    public LoopStream? StandardError { get; private set; }

    /// <summary>Kills the child (SIGKILL). Its end is told as any other. Harmless after the exit. Any thread.</summary>
    /// <returns>Whether it was still there.</returns>
    public bool Kill() => SendSignal(LibC.SIGKILL);

    /// <summary>Asks the child to end (SIGTERM). Windows has no such request: it is killed. Any thread.</summary>
    /// <returns>Whether it was still there.</returns>
    public bool Terminate() => SendSignal(OperatingSystem.IsWindows() ? LibC.SIGKILL : LibC.SIGTERM);

    /// <summary>Sends a signal, to exactly this child and never to a later process with its number. Any thread.</summary>
    /// <param name="signal">Its number, signal(7).</param>
    /// <returns>False if the child has ended.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such signal.</exception>
    /// <exception cref="System.ComponentModel.Win32Exception">The child runs as another user.</exception>
    /// <exception cref="PlatformNotSupportedException">Windows, and another signal than SIGKILL.</exception>
    public bool SendSignal(int signal)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(signal);
        return _child!.Signal(signal);
    }

    /// <summary>
    /// Lets go of the child: its output pipes are closed, and its input after what was written to it. It is neither killed nor waited for,
    /// as with <see cref="System.Diagnostics.Process"/>; a child that goes on writing meets a broken pipe. Its exit is still told and
    /// its status taken, so that it does not stay as a zombie. Loop thread. Harmless when repeated.
    /// </summary>
    /// <returns>Done at once.</returns>
    public ValueTask DisposeAsync()
    {
        if (StandardInput is { } input)
        {
            _ = input.CloseAsync().AsTask(); // not waited for: a child that does not read would hold us here for ever
        }

        StandardOutput?.Abort();
        StandardError?.Abort();
        return ValueTask.CompletedTask;
    }

    /// <summary>What the loop keeps of it; apart, so that none of it is public.</summary>
    private sealed class LoopEnd(LoopProcess process) : IDisposable
    {
        public void Dispose() => process.OnLoopClosed();
    }
}
