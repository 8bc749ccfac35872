using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>A loop of public members alone that counts what is asked of it about descriptors, and what it reports. Loop thread.</summary>
internal sealed class InterestCountingLoop(IEventLoop inner) : ForwardingLoop(inner)
{
    /// <summary>Registrations, changes and removals.</summary>
    internal int Changes { get; private set; }

    internal int Reports { get; private set; }

    internal int Registered { get; private set; }

    public override void AddHandler(SafeHandle descriptor, IoEvents events, Action<SafeHandle, IoEvents> handler)
    {
        base.AddHandler(descriptor, events, (handle, happened) =>
        {
            Reports++;
            handler(handle, happened);
        });
        Changes++;
        Registered++;
    }

    public override void UpdateHandler(SafeHandle descriptor, IoEvents events)
    {
        Changes++;
        base.UpdateHandler(descriptor, events);
    }

    public override void RemoveHandler(SafeHandle descriptor)
    {
        Changes++;
        Registered--;
        base.RemoveHandler(descriptor);
    }
}
