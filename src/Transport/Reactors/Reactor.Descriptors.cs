using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Reactors;

public sealed partial class Reactor
{
    private readonly Dictionary<nint, DescriptorWatch> _watches = [];

    internal override void Watch(SafeHandle descriptor, IoEvents interest, IoTrigger trigger, Action<SafeHandle, IoEvents> handler)
    {
        ThrowIfOffThread();
        nint number = descriptor.DangerousGetHandle();
        if (_watches.ContainsKey(number))
        {
            throw new InvalidOperationException($"The descriptor {number} is watched for another object: remove that one first.");
        }

        var watch = new DescriptorWatch(this, new DescriptorCallback(descriptor, handler));
        watch.Registration = _driver.Add(descriptor, interest, trigger, watch);
        _watches.Add(number, watch);
    }

    internal override void Rewatch(SafeHandle descriptor, IoEvents interest)
    {
        ThrowIfOffThread();
        _watches[descriptor.DangerousGetHandle()].Registration!.Update(interest);
    }

    internal override void Unwatch(SafeHandle descriptor)
    {
        ThrowIfOffThread();
        if (_watches.Remove(descriptor.DangerousGetHandle(), out DescriptorWatch? watch))
        {
            watch.Registration!.Remove();
        }
    }

    private sealed class DescriptorWatch(Reactor reactor, DescriptorCallback callback) : IIoHandler, IOnBehalf
    {
        object IOnBehalf.Behalf => callback;

        internal IoRegistration? Registration { get; set; }

        public void OnEvents(IoEvents events)
        {
            SynchronizationContext.SetSynchronizationContext(reactor._context);
            callback.Run(events); // has its guard
        }
    }
}
