using System.Net.Sockets;
using System.Runtime.InteropServices;
using LoopBridge.Drivers;

namespace LoopBridge.Loops;

/// <summary>The handler of a descriptor, with the ambient context of who added it.</summary>
internal sealed class DescriptorCallback(SafeHandle descriptor, Action<SafeHandle, IoEvents> handler) : IOnBehalf
{
    private readonly ExecutionContext? _context = ExecutionContext.Capture();
    private IoEvents _events;

    object IOnBehalf.Behalf => Source;

    internal SafeHandle Descriptor => descriptor;

    /// <summary>What to name in the log when it throws.</summary>
    internal object Source => CallbackSource.Of(handler, null);

    /// <summary>Under that context, and without leaving its own changes to the next one. What the handler throws passes through.</summary>
    internal void Run(IoEvents events)
    {
        if (_context is null)
        {
            handler(descriptor, events);
            return;
        }

        _events = events;
        ExecutionContext.Run(_context, static state => ((DescriptorCallback)state!).Invoke(), this);
    }

    /// <summary>
    /// The peer left while the handler wrote. No news for a loop's log: the hang-up that comes with it is (Tornado ignores EPIPE here too).
    /// </summary>
    internal static bool IsBrokenPipe(Exception e)
        => (e is IOException { InnerException: { } inner } ? inner : e) is SocketException { SocketErrorCode: SocketError.Shutdown };

    private void Invoke() => handler(descriptor, _events);
}
