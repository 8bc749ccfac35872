using System.Runtime.InteropServices;
using LoopBridge.Reactors;

namespace LoopBridge.Protocols;

/// <remarks>A port in the books of its reactor: read while it accepts, and closed when the reactor shuts down (R-CORE-10).</remarks>
internal sealed partial class ListeningPort : IServedDescriptor
{
    SafeHandle IDescriptor.Handle => Period.Handle;

    bool IServedDescriptor.IsReader => Period.IsAccepting;

    bool IServedDescriptor.IsWriter => false;

    internal void EnterBooks() => (Reactor as ReactorBase)?.Served.Add(this);

    // Elsewhere than on its thread the loop is closed, and the reactor's books with it.
    internal void LeaveBooks()
    {
        if (Loop.IsOnLoopThread)
        {
            (Reactor as ReactorBase)?.Served.Remove(this);
        }
    }

    void IServedDescriptor.SetAside() => Period.SetAside();

    // The listener accepts by itself; there is nothing to be done for it.
    Exception? IReadDescriptor.DoRead() => null;

    Exception? IWriteDescriptor.DoWrite() => null;

    void IDescriptor.ConnectionLost(Exception reason) => Period.CloseNow();
}
