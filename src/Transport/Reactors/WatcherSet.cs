using System.Runtime.InteropServices;
using LoopBridge.Drivers;

namespace LoopBridge.Reactors;

/// <summary>The watchers of one reactor: those that have a descriptor to themselves and are told of all its events. Reactor thread.</summary>
internal sealed class WatcherSet(ReactorBase reactor)
{
    private readonly Dictionary<IEventDescriptor, Watch> _watches = new(ReferenceEqualityComparer.Instance);

    internal IEventDescriptor[] ToArray() => [.. _watches.Keys];

    internal void Add(IEventDescriptor watcher, IoEvents events)
    {
        if (_watches.TryGetValue(watcher, out Watch? known))
        {
            reactor.ChangeWatch(known.Handle, events);
            return;
        }

        SafeHandle handle = watcher.Handle;
        ObjectDisposedException.ThrowIf(handle.IsClosed, handle);
        if (handle.IsInvalid)
        {
            throw new ArgumentException("The object has no valid descriptor to watch.", nameof(watcher));
        }

        // What is watched below keeps a reference on the handle.
        var watch = new Watch(this, watcher, handle);
        reactor.BeginWatch(handle, events, watcher.NeedsChangesOnly ? IoTrigger.Any : IoTrigger.WhileReady, watch.OnEvents);
        _watches.Add(watcher, watch);
    }

    internal void Remove(IEventDescriptor watcher)
    {
        if (_watches.TryGetValue(watcher, out Watch? watch))
        {
            reactor.EndWatch(watch.Handle);
            _watches.Remove(watcher);
        }
    }

    internal IEventDescriptor[] RemoveAll()
    {
        IEventDescriptor[] removed = ToArray();
        foreach (IEventDescriptor watcher in removed)
        {
            Remove(watcher);
        }

        return removed;
    }

    /// <summary>Removes all and tells each once; what one of them throws is reported and the others are told nonetheless.</summary>
    internal void DisconnectAll(Exception reason)
    {
        foreach (IEventDescriptor watcher in RemoveAll())
        {
            Tell(watcher, reason);
        }
    }

    private void Serve(Watch watch, IoEvents events)
    {
        Exception? reason;
        try
        {
            reason = watch.Watcher.DoEvents(events);
        }
        catch (Exception e)
        {
            // User code. Left registered, it would fail for ever (R-FD-20).
            reactor.Report(e, watch.Watcher);
            reason = e;
        }

        // Removed by itself meanwhile, it needs no news; added again, it is another registration.
        if (reason is not null && _watches.TryGetValue(watch.Watcher, out Watch? present) && present == watch)
        {
            Remove(watch.Watcher);
            Tell(watch.Watcher, reason);
        }
    }

    private void Tell(IEventDescriptor watcher, Exception reason)
    {
        try
        {
            watcher.ConnectionLost(reason);
        }
        catch (Exception e)
        {
            reactor.Report(e, watcher); // user code
        }
    }

    /// <param name="Set">Whose it is.</param>
    /// <param name="Watcher">Who is told.</param>
    /// <param name="Handle">The one it was registered with: the watcher is not asked again (R-FD-07).</param>
    private sealed record class Watch(WatcherSet Set, IEventDescriptor Watcher, SafeHandle Handle) : IOnBehalf
    {
        object IOnBehalf.Behalf => Watcher;

        internal void OnEvents(SafeHandle descriptor, IoEvents events)
        {
            Set.Serve(this, events);
            Set.Reactor.OnServed();
        }
    }

    private ReactorBase Reactor => reactor;
}
