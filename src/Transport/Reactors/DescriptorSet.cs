using System.Runtime.InteropServices;
using LoopBridge.Drivers;

namespace LoopBridge.Reactors;

/// <summary>
/// The readers and writers of one reactor: who is registered, under which number, and how they are lost. Reactor thread.
/// </summary>
internal sealed class DescriptorSet(ReactorBase reactor)
{
    private readonly Dictionary<nint, DescriptorEntry> _byNumber = [];
    private readonly Dictionary<IDescriptor, DescriptorEntry> _readers = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<IDescriptor, DescriptorEntry> _writers = new(ReferenceEqualityComparer.Instance);

    internal IReadDescriptor[] GetReaders() => [.. _readers.Keys.Cast<IReadDescriptor>()];

    internal IWriteDescriptor[] GetWriters() => [.. _writers.Keys.Cast<IWriteDescriptor>()];

    internal void Add(IDescriptor descriptor, IoEvents direction)
    {
        Dictionary<IDescriptor, DescriptorEntry> table = Table(direction);
        if (table.ContainsKey(descriptor))
        {
            return;
        }

        SafeHandle handle = descriptor.Handle;
        if (handle.IsInvalid)
        {
            throw new ArgumentException("The object has no valid descriptor to watch.", nameof(descriptor));
        }

        // The number is ours to name until the reference is given back: it cannot pass to another owner meanwhile (R-FD-09).
        bool referenced = false;
        bool isKept = false;
        handle.DangerousAddRef(ref referenced);
        try
        {
            if (!_byNumber.TryGetValue(handle.DangerousGetHandle(), out DescriptorEntry? entry))
            {
                entry = new DescriptorEntry(this, reactor, handle);
            }

            isKept = entry.Occupy(direction, descriptor, handle);
            _byNumber[entry.Number] = entry;
            table.Add(descriptor, entry);
        }
        finally
        {
            if (!isKept)
            {
                handle.DangerousRelease();
            }
        }
    }

    internal void Remove(IDescriptor descriptor, IoEvents direction)
    {
        if (Table(direction).Remove(descriptor, out DescriptorEntry? entry))
        {
            entry.Vacate(direction);
            if (entry.IsEmpty)
            {
                _byNumber.Remove(entry.Number);
            }
        }
    }

    internal List<IDescriptor> RemoveAll() => Clear(areLost: false);

    /// <summary>
    /// Removes all and tells each once; what one of them throws is reported and the others are told nonetheless (R-CORE-10).
    /// </summary>
    internal void DisconnectAll(Exception reason)
    {
        foreach (IDescriptor descriptor in Clear(areLost: true))
        {
            Tell(descriptor, reason);
        }
    }

    /// <summary>Ends the read side alone where the owner can live with that (R-FD-19), else everything.</summary>
    internal void Lose(DescriptorEntry entry, IDescriptor owner, IoEvents direction, Exception reason)
    {
        if (direction != IoEvents.Read || reason is not ConnectionDoneException || owner is not IHalfCloseDescriptor half)
        {
            LoseAll(entry, owner, reason);
            return;
        }

        if (entry.IsLost)
        {
            return;
        }

        Remove(owner, IoEvents.Read);
        try
        {
            half.ReadConnectionLost(reason);
        }
        catch (Exception e)
        {
            reactor.Report(e, owner); // user code
        }
    }

    /// <summary>
    /// Both owners of the number are removed and told, each once (R-FD-24); <paramref name="owner"/> even if it removed itself just now.
    /// </summary>
    internal void LoseAll(DescriptorEntry entry, IDescriptor owner, Exception reason)
    {
        if (entry.IsLost)
        {
            return;
        }

        entry.IsLost = true;
        IDescriptor? other = ReferenceEquals(entry.Reader, owner) ? entry.Writer : entry.Reader;
        End(entry);
        RemoveBoth(owner);
        if (other is null || ReferenceEquals(other, owner))
        {
            Tell(owner, reason);
            return;
        }

        RemoveBoth(other);
        Tell(owner, reason);
        Tell(other, reason);
    }

    private Dictionary<IDescriptor, DescriptorEntry> Table(IoEvents direction) => direction == IoEvents.Read ? _readers : _writers;

    // An object may read one number and write another: it is lost as a whole.
    private void RemoveBoth(IDescriptor descriptor)
    {
        Remove(descriptor, IoEvents.Read);
        Remove(descriptor, IoEvents.Write);
    }

    private void End(DescriptorEntry entry)
    {
        if (entry.IsEmpty)
        {
            return; // its owners left by themselves, and the number may have another entry by now
        }

        if (entry.Reader is { } reader)
        {
            _readers.Remove(reader);
        }

        if (entry.Writer is { } writer)
        {
            _writers.Remove(writer);
        }

        _byNumber.Remove(entry.Number);
        entry.End();
    }

    private List<IDescriptor> Clear(bool areLost)
    {
        var removed = new List<IDescriptor>(_readers.Keys);
        removed.AddRange(_writers.Keys.Where(writer => !_readers.ContainsKey(writer)));
        foreach (DescriptorEntry entry in _byNumber.Values.ToArray())
        {
            entry.IsLost |= areLost;
            End(entry);
        }

        return removed;
    }

    private void Tell(IDescriptor descriptor, Exception reason)
    {
        using IDisposable? scope = reactor.BeginScope(descriptor);
        try
        {
            descriptor.ConnectionLost(reason);
        }
        catch (Exception e)
        {
            reactor.Report(e, descriptor); // user code
        }
    }
}
