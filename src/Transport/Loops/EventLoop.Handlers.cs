using System.Net.Sockets;
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

        var entry = new DescriptorHandler(this, descriptor, handler);
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

    private sealed class DescriptorHandler(EventLoop loop, SafeHandle descriptor, Action<SafeHandle, IoEvents> handler) : IIoHandler
    {
        private readonly ExecutionContext? _context = ExecutionContext.Capture();
        private IoEvents _events;

        internal IoRegistration? Registration { get; set; }

        internal SafeHandle Descriptor => descriptor;

        public void OnEvents(IoEvents events)
        {
            SynchronizationContext.SetSynchronizationContext(loop.SynchronizationContext);
            try
            {
                // Under the ambient context of who added it, and without leaving its own changes to the next one.
                _events = events;
                if (_context is null)
                {
                    handler(descriptor, events);
                }
                else
                {
                    ExecutionContext.Run(_context, static state => ((DescriptorHandler)state!).Invoke(), this);
                }
            }
            catch (Exception e) when (IsBrokenPipe(e))
            {
                // Expected: the peer left while the handler wrote. The hang-up that comes with it is the news (Tornado ignores EPIPE here
                // too).
            }
            catch (Exception e)
            {
                loop.Report(e, CallbackSource.Of(handler, null)); // user code: logged; the handler stays
            }
            finally
            {
                SynchronizationContext.SetSynchronizationContext(null);
            }
        }

        private void Invoke() => handler(descriptor, _events);

        private static bool IsBrokenPipe(Exception e)
            => (e is IOException { InnerException: { } inner } ? inner : e) is SocketException { SocketErrorCode: SocketError.Shutdown };
    }
}
