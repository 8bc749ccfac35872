using System.Runtime.InteropServices;
using LoopBridge.Drivers;

namespace LoopBridge.Loops;

public sealed partial class EventLoop
{
    private readonly Dictionary<nint, DescriptorHandler> _handlers = [];

    /// <inheritdoc />
    public void AddHandler(SafeHandle descriptor, IoEvents events, Action<SafeHandle, IoEvents> handler)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        ArgumentNullException.ThrowIfNull(handler);
        nint number = descriptor.DangerousGetHandle();
        if (_handlers.ContainsKey(number))
        {
            throw new InvalidOperationException($"The descriptor {number} has a handler on the loop '{Name}' already: update or remove that one.");
        }

        var entry = new DescriptorHandler(this, descriptor, handler);
        entry.Registration = _driver.Add(descriptor, events, IoTrigger.WhileReady, entry);
        _handlers.Add(number, entry);
    }

    /// <inheritdoc />
    public void UpdateHandler(SafeHandle descriptor, IoEvents events)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        nint number = descriptor.DangerousGetHandle();
        if (!_handlers.TryGetValue(number, out DescriptorHandler? entry))
        {
            throw new InvalidOperationException($"The descriptor {number} has no handler on the loop '{Name}'.");
        }

        entry.Registration!.Update(events);
    }

    /// <inheritdoc />
    public void RemoveHandler(SafeHandle descriptor)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        if (_handlers.Remove(descriptor.DangerousGetHandle(), out DescriptorHandler? entry))
        {
            entry.Registration!.Remove();
        }
    }

    private sealed class DescriptorHandler(EventLoop loop, SafeHandle descriptor, Action<SafeHandle, IoEvents> handler) : IIoHandler
    {
        internal IoRegistration? Registration { get; set; }

        public void OnEvents(IoEvents events)
        {
            SynchronizationContext.SetSynchronizationContext(loop.SynchronizationContext);
            try
            {
                handler(descriptor, events);
            }
            catch (Exception e)
            {
                loop.Report(e, handler); // user code: logged; the handler stays
            }
            finally
            {
                SynchronizationContext.SetSynchronizationContext(null);
            }
        }
    }
}
