namespace LoopBridge.Kestrel;

/// <summary>The features that others have set on a connection. Mutable: never to be copied.</summary>
/// <remarks>
/// Kestrel sets one object under four keys, the same four on each connection, and usually that is all. As a list of pairs this was 88 bytes
/// for each idle connection; so that object is kept once, and its keys are shared with the other connections. Whatever is set to something
/// else stands apart, and comes before.
/// </remarks>
internal struct SetFeatures
{
    private object? _common;
    private FeatureKeys? _commonKeys;
    private KeyValuePair<Type, object?>[]? _apart;

    /// <summary>Some may be there twice.</summary>
    internal readonly IEnumerable<Type> Keys => [.. _commonKeys?.All ?? [], .. (_apart ?? []).Select(feature => feature.Key)];

    /// <summary>False: nobody has set it. What was set may be null.</summary>
    internal readonly bool TryGet(Type key, out object? value)
    {
        int index = IndexApart(key);
        if (index >= 0)
        {
            value = _apart![index].Value;
            return true;
        }

        value = _common;
        return _commonKeys is not null && _commonKeys.Contains(key);
    }

    internal void Set(Type key, object? value)
    {
        int index = IndexApart(key);
        if (index < 0 && value is not null && (_common is null || ReferenceEquals(_common, value)))
        {
            _common = value;
            _commonKeys = FeatureKeys.Add(_commonKeys, key);
            return;
        }

        if (index < 0)
        {
            index = _apart?.Length ?? 0;
            Array.Resize(ref _apart, index + 1);
        }

        _apart![index] = new(key, value);
    }

    private readonly int IndexApart(Type key)
    {
        for (int i = 0; i < _apart?.Length; i++)
        {
            if (_apart[i].Key == key)
            {
                return i;
            }
        }

        return -1;
    }
}
