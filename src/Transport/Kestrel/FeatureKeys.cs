namespace LoopBridge.Kestrel;

/// <summary>
/// A set of keys that never changes: one key more than another such set. Connections on which the same keys are set in the same order
/// share it. Any thread.
/// </summary>
internal sealed class FeatureKeys
{
    private static readonly FeatureKeys None = new(null, null);

    private readonly FeatureKeys? _others;
    private readonly Type? _key;
    private FeatureKeys? _next; // the set made from this one last; Kestrel always makes the same

    private FeatureKeys(FeatureKeys? others, Type? key)
    {
        _others = others;
        _key = key;
    }

    /// <summary>In any order.</summary>
    internal IEnumerable<Type> All
    {
        get
        {
            for (FeatureKeys keys = this; keys._key is { } key; keys = keys._others!)
            {
                yield return key;
            }
        }
    }

    internal static FeatureKeys Add(FeatureKeys? keys, Type key)
    {
        keys ??= None;
        if (keys.Contains(key))
        {
            return keys;
        }

        FeatureKeys? next = keys._next;
        return ReferenceEquals(next?._key, key) ? next! : keys._next = new FeatureKeys(keys, key);
    }

    internal bool Contains(Type key)
    {
        for (FeatureKeys? keys = this; keys is not null; keys = keys._others)
        {
            if (ReferenceEquals(keys._key, key))
            {
                return true;
            }
        }

        return false;
    }
}
