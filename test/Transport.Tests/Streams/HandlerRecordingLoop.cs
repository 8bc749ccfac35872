using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Transport.Tests.Sockets;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>The lower layer, as a stream on a loop of somebody else's uses it: what is asked of it for the one descriptor there is.</summary>
internal sealed class HandlerRecordingLoop(IEventLoop inner) : ForwardingLoop(inner)
{
    /// <summary>How often the interest was set or changed to one that includes writing.</summary>
    internal int WriteInterests { get; private set; }

    internal IoEvents Interest { get; private set; }

    internal bool IsWatched { get; private set; }

    /// <summary>Whether each removal came while the descriptor was still open.</summary>
    internal bool RemovedInTime { get; private set; } = true;

    public override void AddHandler(SafeHandle descriptor, IoEvents events, Action<SafeHandle, IoEvents> handler)
    {
        base.AddHandler(descriptor, events, handler);
        IsWatched = true;
        Note(events);
    }

    public override void UpdateHandler(SafeHandle descriptor, IoEvents events)
    {
        base.UpdateHandler(descriptor, events);
        Note(events);
    }

    public override void RemoveHandler(SafeHandle descriptor)
    {
        RemovedInTime &= !descriptor.IsClosed;
        base.RemoveHandler(descriptor);
        IsWatched = false;
        Interest = IoEvents.None;
    }

    private void Note(IoEvents events)
    {
        bool wrote = (Interest & IoEvents.Write) != 0;
        Interest = events;
        if (!wrote && (events & IoEvents.Write) != 0)
        {
            WriteInterests++;
        }
    }
}
