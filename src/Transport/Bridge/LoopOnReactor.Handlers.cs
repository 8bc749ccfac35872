using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Reactors;

namespace LoopBridge.Bridge;

public sealed partial class LoopOnReactor
{
    private readonly Dictionary<nint, HandlerWatcher> _handlers = [];

    /// <inheritdoc />
    public void AddHandler(SafeHandle descriptor, IoEvents events, Action<SafeHandle, IoEvents> handler)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        ArgumentNullException.ThrowIfNull(handler);
        Add(descriptor, events, number => new UserHandlerWatcher(this, number, new DescriptorCallback(descriptor, handler)));
    }

    void IEventLoop.Watch(SafeHandle descriptor, IoEvents events, IIoHandler handler)
        => Add(descriptor, events, number => new EngineHandlerWatcher(this, number, descriptor, handler));

    /// <inheritdoc />
    public void UpdateHandler(SafeHandle descriptor, IoEvents events)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        ThrowIfOffThread();
        nint number = descriptor.DangerousGetHandle();
        if (descriptor.IsClosed || !_handlers.TryGetValue(number, out HandlerWatcher? watcher))
        {
            throw new InvalidOperationException($"The descriptor {number} has no handler on the loop '{Name}'.");
        }

        Reactor.AddWatcher(watcher, events);
        watcher.Interest = events;
    }

    /// <inheritdoc />
    public void RemoveHandler(SafeHandle descriptor)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        ThrowIfOffThread();

        // A handle that is closed cannot be registered, because the reactor would hold it open; its number is somebody else's by now.
        if (!descriptor.IsClosed && _handlers.TryGetValue(descriptor.DangerousGetHandle(), out HandlerWatcher? watcher))
        {
            Remove(watcher);
        }
    }

    private void Add(SafeHandle descriptor, IoEvents events, Func<nint, HandlerWatcher> makeWatcher)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        ObjectDisposedException.ThrowIf(descriptor.IsClosed, descriptor);
        ThrowIfOffThread();
        nint number = descriptor.DangerousGetHandle();
        if (_handlers.ContainsKey(number))
        {
            throw new InvalidOperationException($"The descriptor {number} has a handler on the loop '{Name}' already: update or remove that one.");
        }

        HandlerWatcher watcher = makeWatcher(number);
        watcher.Interest = events;

        // The handler has its ambient context with it: the reactor need not keep it a second time, and change to it for each event.
        using (FlowSuppression.Begin())
        {
            Reactor.AddWatcher(watcher, events);
        }

        _handlers.Add(number, watcher);
    }

    private void Remove(HandlerWatcher watcher)
    {
        Reactor.RemoveWatcher(watcher);
        _handlers.Remove(watcher.Number);
        watcher.IsRemoved = true;
    }

    private void DropHandlers(bool closeDescriptors)
    {
        foreach (HandlerWatcher watcher in _handlers.Values.ToArray())
        {
            Remove(watcher);
            if (!closeDescriptors)
            {
                continue;
            }

            try
            {
                DescriptorNumber.CloseThrough(watcher.Handle);
            }
            catch (Exception e)
            {
                _exceptions.Report(e, watcher.Handle); // the handle's owner may be user code; the rest is still to be closed
            }
        }
    }

    /// <summary>
    /// A handler as the reactor sees it. Nothing of its user's reaches the reactor, which would disconnect it for an exception; on a loop
    /// it stays.
    /// </summary>
    private abstract class HandlerWatcher(LoopOnReactor loop, nint number) : IEventDescriptor, IOnBehalf
    {
        public abstract object Behalf { get; }

        public abstract SafeHandle Handle { get; }

        public virtual bool NeedsChangesOnly => false;

        protected LoopOnReactor Loop => loop;

        internal nint Number => number;

        internal IoEvents Interest { get; set; }

        internal bool IsRemoved { get; set; }

        public abstract Exception? DoEvents(IoEvents events);

        /// <summary>
        /// The reactor shuts down. On a loop that is an error of the descriptor, told once. One that turns on, for its group, is no end of
        /// anything of the loop's.
        /// </summary>
        public void ConnectionLost(Exception reason)
        {
            if (IsRemoved)
            {
                return;
            }

            if (loop.IsInGroup)
            {
                loop.Reactor.AddWatcher(this, Interest);
            }
            else
            {
                DoEvents(IoEvents.Error | IoEvents.HangUp);
            }
        }
    }

    private sealed class UserHandlerWatcher(LoopOnReactor loop, nint number, DescriptorCallback callback) : HandlerWatcher(loop, number)
    {
        public override object Behalf => callback;

        public override SafeHandle Handle => callback.Descriptor;

        public override Exception? DoEvents(IoEvents events)
        {
            using var dispatch = new Dispatch(Loop, Loop.SynchronizationContext);
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
                Loop._exceptions.Report(e, callback.Source); // user code: logged; the handler stays
            }

            return null;
        }
    }

    private sealed class EngineHandlerWatcher(LoopOnReactor loop, nint number, SafeHandle descriptor, IIoHandler handler)
        : HandlerWatcher(loop, number)
    {
        public override object Behalf => handler;

        public override SafeHandle Handle => descriptor;

        // The engine goes on until an operation is pending.
        public override bool NeedsChangesOnly => true;

        public override Exception? DoEvents(IoEvents events)
        {
            using var dispatch = new Dispatch(Loop, null);
            try
            {
                handler.OnEvents(events);
            }
            catch (Exception e)
            {
                Loop._exceptions.Report(e, handler); // a bug of ours or of a sink; the others are still to be served
            }

            return null;
        }
    }
}
