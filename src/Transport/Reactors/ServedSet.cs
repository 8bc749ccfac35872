namespace LoopBridge.Reactors;

/// <summary>The connections and ports of one reactor, whose descriptors others watch. Reactor thread.</summary>
internal sealed class ServedSet(ReactorBase reactor)
{
    private readonly HashSet<IServedDescriptor> _served = new(ReferenceEqualityComparer.Instance);

    internal IEnumerable<IReadDescriptor> Readers => _served.Where(static served => served.IsReader);

    internal IEnumerable<IWriteDescriptor> Writers => _served.Where(static served => served.IsWriter);

    /// <summary>For as long as it lives, also while it neither reads nor writes.</summary>
    internal void Add(IServedDescriptor served) => _served.Add(served);

    internal void Remove(IServedDescriptor served) => _served.Remove(served);

    /// <summary>Those that read or write are set aside. They stay known here: a shutdown still ends them.</summary>
    internal IServedDescriptor[] SetAsideAll()
    {
        IServedDescriptor[] removed = [.. _served.Where(static served => served.IsReader || served.IsWriter)];
        foreach (IServedDescriptor served in removed)
        {
            served.SetAside();
        }

        return removed;
    }

    /// <summary>
    /// Removes all and tells each once; what one of them throws is reported and the others are told nonetheless. Also those that neither
    /// read nor write now, such as a paused connection: it could not learn of it later (the reference forgets these).
    /// </summary>
    internal void DisconnectAll(Exception reason)
    {
        IServedDescriptor[] all = [.. _served];
        _served.Clear();
        foreach (IServedDescriptor served in all)
        {
            try
            {
                served.ConnectionLost(reason);
            }
            catch (Exception e)
            {
                reactor.Report(e, served); // user code
            }
        }
    }
}
