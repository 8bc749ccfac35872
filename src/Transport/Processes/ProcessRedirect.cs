using System.Runtime.InteropServices;

namespace LoopBridge.Processes;

/// <summary>What a child gets as its standard input, output or error.</summary>
public sealed class ProcessRedirect
{
    private ProcessRedirect(SafeHandle? handle = null) => Handle = handle;

    /// <summary>The same as this process has. The default.</summary>
    public static ProcessRedirect Inherit { get; } = new();

    /// <summary>Nothing to read, and what is written is dropped (<c>/dev/null</c>).</summary>
    public static ProcessRedirect Null { get; } = new();

    /// <summary>A pipe, the other end of which is a stream of the <see cref="LoopProcess"/>.</summary>
    public static ProcessRedirect Pipe { get; } = new();

    internal SafeHandle? Handle { get; }

    /// <summary>
    /// A descriptor of this process. The child gets a copy; the descriptor stays the caller's, and stays open. Linux only.
    /// </summary>
    /// <param name="handle">A file, a pipe, a socket. To send errors where the output goes, give both the same.</param>
    public static ProcessRedirect To(SafeHandle handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return new ProcessRedirect(handle);
    }
}
