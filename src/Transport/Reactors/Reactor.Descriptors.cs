using System.ComponentModel;
using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Interop;
using LoopBridge.Loops;

namespace LoopBridge.Reactors;

/// <remarks>
/// What the driver refuses because there is nothing to wait for (epoll(7): EPERM for regular files and directories) is always ready: it is
/// served once in each turn, after what the poll has found, and while there is one the poll does not wait.
/// </remarks>
public sealed partial class Reactor
{
    private readonly Dictionary<nint, DescriptorWatch> _watches = [];
    private readonly List<DescriptorWatch> _alwaysReady = [];
    private readonly List<DescriptorWatch> _readyPass = [];

    internal override void Watch(SafeHandle descriptor, IoEvents interest, Action<SafeHandle, IoEvents> handler)
    {
        ThrowIfOffThread();
        nint number = descriptor.DangerousGetHandle();
        if (_watches.ContainsKey(number))
        {
            throw new InvalidOperationException($"The descriptor {number} is watched for another object: remove that one first.");
        }

        var watch = new DescriptorWatch(this, new DescriptorCallback(descriptor, handler));
        try
        {
            watch.Registration = _driver.Add(descriptor, interest, IoTrigger.WhileReady, watch);
        }
        catch (IOException e) when (e.InnerException is Win32Exception { NativeErrorCode: (int)Errno.EPERM })
        {
            // Expected of a file (R-FD-22).
            watch.BeAlwaysReady(interest);
        }

        _watches.Add(number, watch);
    }

    internal override void Rewatch(SafeHandle descriptor, IoEvents interest)
    {
        ThrowIfOffThread();
        _watches[descriptor.DangerousGetHandle()].Update(interest);
    }

    internal override void Unwatch(SafeHandle descriptor)
    {
        ThrowIfOffThread();
        if (_watches.Remove(descriptor.DangerousGetHandle(), out DescriptorWatch? watch))
        {
            watch.End();
        }
    }

    private void RunAlwaysReady()
    {
        if (_alwaysReady.Count == 0)
        {
            return;
        }

        _readyPass.AddRange(_alwaysReady); // one that comes meanwhile is the next turn's
        foreach (DescriptorWatch watch in _readyPass)
        {
            watch.ServeAlwaysReady();
        }

        _readyPass.Clear();
    }

    private sealed class DescriptorWatch(Reactor reactor, DescriptorCallback callback) : IIoHandler
    {
        private SafeHandle? _held;
        private IoEvents _interest;

        internal IoRegistration? Registration { get; set; }

        public void OnEvents(IoEvents events)
        {
            SynchronizationContext.SetSynchronizationContext(reactor._context);
            callback.Run(events); // has its guard
        }

        internal void BeAlwaysReady(IoEvents interest)
        {
            // As a driver does: the number cannot pass to somebody else while it is watched.
            bool referenced = false;
            callback.Descriptor.DangerousAddRef(ref referenced);
            _held = callback.Descriptor;
            _interest = interest;
            reactor._alwaysReady.Add(this);
        }

        internal void ServeAlwaysReady()
        {
            if (_held is not null && _interest != IoEvents.None)
            {
                OnEvents(_interest);
            }
        }

        internal void Update(IoEvents interest)
        {
            if (Registration is { } registration)
            {
                registration.Update(interest);
            }
            else
            {
                _interest = interest;
            }
        }

        internal void End()
        {
            Registration?.Remove();
            if (_held is { } held)
            {
                _held = null;
                reactor._alwaysReady.Remove(this);
                held.DangerousRelease();
            }
        }
    }
}
