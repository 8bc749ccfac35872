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
        ObjectDisposedException.ThrowIf(_closed, this);
        ObjectDisposedException.ThrowIf(descriptor.IsClosed, descriptor);
        ThrowIfOffThread();
        nint number = descriptor.DangerousGetHandle();
        if (_handlers.ContainsKey(number))
        {
            throw new InvalidOperationException($"The descriptor {number} has a handler on the loop '{Name}' already: update or remove that one.");
        }

        var entry = new DescriptorHandler(this, new DescriptorCallback(descriptor, handler));
        entry.Registration = _driver.Add(descriptor, events, IoTrigger.WhileReady, entry);
        _handlers.Add(number, entry);
    }

    /// <inheritdoc />
    public void UpdateHandler(SafeHandle descriptor, IoEvents events)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        ThrowIfOffThread();
        nint number = descriptor.DangerousGetHandle();
        if (descriptor.IsClosed || !_handlers.TryGetValue(number, out DescriptorHandler? entry))
        {
            throw new InvalidOperationException($"The descriptor {number} has no handler on the loop '{Name}'.");
        }

        entry.Registration!.Update(events);
    }

    /// <inheritdoc />
    public void RemoveHandler(SafeHandle descriptor)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        ThrowIfOffThread();

        // A handle that is closed cannot be registered, because the driver would hold it open; its number is somebody else's by now.
        if (!descriptor.IsClosed && _handlers.Remove(descriptor.DangerousGetHandle(), out DescriptorHandler? entry))
        {
            entry.Registration!.Remove();
        }
    }

    private void CloseDescriptors(IEnumerable<DescriptorHandler> entries)
    {
        foreach (DescriptorHandler entry in entries)
        {
            try
            {
                DescriptorNumber.CloseThrough(entry.Descriptor);
            }
            catch (Exception e)
            {
                Report(e, entry.Descriptor); // the handle's owner may be user code; the rest is still to be closed
            }
        }
    }

    private sealed class DescriptorHandler(EventLoop loop, DescriptorCallback callback) : IIoHandler, IOnBehalf
    {
        object IOnBehalf.Behalf => callback;

        internal IoRegistration? Registration { get; set; }

        internal SafeHandle Descriptor => callback.Descriptor;

        public void OnEvents(IoEvents events)
        {
            SynchronizationContext.SetSynchronizationContext(loop.SynchronizationContext);
            try
            {
                callback.Run(events);
            }
            catch (Exception e) when (DescriptorCallback.IsBrokenPipe(e))
            {
                // Expected, and no news.
            }
            catch (Exception e)
            {
                loop.Report(e, callback.Source); // user code: logged; the handler stays
            }
            finally
            {
                SynchronizationContext.SetSynchronizationContext(null);
            }
        }
    }
}
