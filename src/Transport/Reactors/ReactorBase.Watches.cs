using System.Runtime.InteropServices;
using LoopBridge.Drivers;

namespace LoopBridge.Reactors;

public abstract partial class ReactorBase
{
    private AlwaysReadySet? _alwaysReady;

    /// <summary>As <c>Watch</c>, also for what can only be polled because it is ready at any time (R-FD-22).</summary>
    internal void BeginWatch(SafeHandle descriptor, IoEvents interest, IoTrigger trigger, Action<SafeHandle, IoEvents> handler)
    {
        try
        {
            Watch(descriptor, interest, trigger, handler);
        }
        catch (IOException) when (AlwaysReadySet.Suits(descriptor))
        {
            // Not an error: the driver refuses what it would never have to wait for.
            (_alwaysReady ??= new AlwaysReadySet(this)).Add(descriptor, interest, handler);
        }
    }

    /// <summary>As <see cref="Rewatch"/>, for what <see cref="BeginWatch"/> began.</summary>
    internal void ChangeWatch(SafeHandle descriptor, IoEvents interest)
    {
        if (_alwaysReady?.TryChange(descriptor, interest) is not true)
        {
            Rewatch(descriptor, interest);
        }
    }

    /// <summary>As <see cref="Unwatch"/>, for what <see cref="BeginWatch"/> began.</summary>
    internal void EndWatch(SafeHandle descriptor)
    {
        if (_alwaysReady?.TryRemove(descriptor) is not true)
        {
            Unwatch(descriptor);
        }
    }
}
