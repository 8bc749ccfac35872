using LoopBridge.Drivers;

namespace LoopBridge.Reactors;

public abstract partial class ReactorBase
{
    /// <inheritdoc />
    public void AddReader(IReadDescriptor reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        _descriptors.Add(reader, IoEvents.Read);
    }

    /// <inheritdoc />
    public void AddWriter(IWriteDescriptor writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        _descriptors.Add(writer, IoEvents.Write);
    }

    /// <inheritdoc />
    public void RemoveReader(IReadDescriptor reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        _descriptors.Remove(reader, IoEvents.Read);
    }

    /// <inheritdoc />
    public void RemoveWriter(IWriteDescriptor writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        _descriptors.Remove(writer, IoEvents.Write);
    }

    /// <inheritdoc />
    public void AddWatcher(IEventDescriptor watcher, IoEvents events)
    {
        ArgumentNullException.ThrowIfNull(watcher);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        _watchers.Add(watcher, events);
    }

    /// <inheritdoc />
    public void RemoveWatcher(IEventDescriptor watcher)
    {
        ArgumentNullException.ThrowIfNull(watcher);
        _watchers.Remove(watcher);
    }

    /// <inheritdoc />
    public IReadOnlyList<IDescriptor> RemoveAll()
        => [.. Served.SetAsideAll(), .. _descriptors.RemoveAll(), .. _watchers.RemoveAll()];

    /// <inheritdoc />
    public IReadOnlyList<IReadDescriptor> GetReaders() => [.. _descriptors.GetReaders(), .. Served.Readers];

    /// <inheritdoc />
    public IReadOnlyList<IWriteDescriptor> GetWriters() => [.. _descriptors.GetWriters(), .. Served.Writers];

    /// <inheritdoc />
    public IReadOnlyList<IEventDescriptor> GetWatchers() => _watchers.ToArray();

    /// <summary>The log scope of one that has a name (R-FD-25); null for the others.</summary>
    internal IDisposable? BeginScope(IDescriptor descriptor)
        => descriptor is ILogPrefix named ? Logger.BeginScope(named.LogPrefix) : null;
}
