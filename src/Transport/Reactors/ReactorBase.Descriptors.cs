using LoopBridge.Drivers;
using Microsoft.Extensions.Logging;

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
    public IReadOnlyList<IDescriptor> RemoveAll() => _descriptors.RemoveAll();

    /// <inheritdoc />
    public IReadOnlyList<IReadDescriptor> GetReaders() => _descriptors.GetReaders();

    /// <inheritdoc />
    public IReadOnlyList<IWriteDescriptor> GetWriters() => _descriptors.GetWriters();

    /// <summary>The log scope of one that has a name (R-FD-25); null for the others.</summary>
    internal IDisposable? BeginScope(IDescriptor descriptor)
        => descriptor is ILogPrefix named ? Logger.BeginScope(named.LogPrefix) : null;
}
