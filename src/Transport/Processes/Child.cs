using LoopBridge.Loops;

namespace LoopBridge.Processes;

/// <summary>A started child, as the platform watches it.</summary>
internal abstract class Child
{
    internal abstract int Id { get; }

    /// <summary>
    /// Tells the end, once, on the loop's thread: the exit code, the negative number of the signal, or null if the status is lost. Never
    /// within this call. Once; loop thread.
    /// </summary>
    internal abstract void Watch(IEventLoop loop, Action<int?> exited);

    /// <summary>The loop is being closed: nobody is to be told any more, but the child is still to be reaped. Loop thread.</summary>
    internal abstract void Abandon();

    /// <summary>Kills a child that nobody is to hear of, because its start failed half-way, and waits for its end.</summary>
    internal abstract void Destroy();

    /// <summary>Sends a signal. False: it has ended. Any thread.</summary>
    internal abstract bool Signal(int signal);
}
