using System.Buffers;
using System.Collections;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace LoopBridge.Kestrel;

/// <remarks>
/// The connection is its own feature collection: what it offers from birth it implements itself and costs nothing; only what others set
/// takes room.
/// </remarks>
internal sealed partial class LoopConnection :
    IFeatureCollection,
    IConnectionIdFeature,
    IConnectionTransportFeature,
    IConnectionItemsFeature,
    IConnectionLifetimeFeature,
    IConnectionEndPointFeature,
    IConnectionSocketFeature,
    IMemoryPoolFeature,
    ILoopConnectionFeature,
    ILoopSchedulingFeature
{
    // The first is what HTTP code asks for in each request.
    private static readonly Type[] OwnFeatures =
    [
        typeof(ILoopConnectionFeature),
        typeof(IConnectionIdFeature),
        typeof(IConnectionTransportFeature),
        typeof(IConnectionItemsFeature),
        typeof(IConnectionLifetimeFeature),
        typeof(IConnectionEndPointFeature),
        typeof(IConnectionSocketFeature),
        typeof(IMemoryPoolFeature),
        typeof(ISocketTakeOverFeature),
        typeof(ILoopSchedulingFeature),
        typeof(IHalfCloseFeature),
    ];

    private SetFeatures _set;
    private IDictionary<object, object?>? _items;
    private Socket? _borrowedSocket;

    public override IFeatureCollection Features => this;

    public override IDictionary<object, object?> Items
    {
        get => _items ??= new ConnectionItems();
        set => _items = value;
    }

    public MemoryPool<byte> MemoryPool => _settings.Pool;

    IEventLoop ILoopConnectionFeature.Loop => Loop;

    LoopScheduling ILoopSchedulingFeature.Scheduling
    {
        get => _scheduler.Scheduling;
        set => _scheduler.Scheduling = value;
    }

    Socket IConnectionSocketFeature.Socket
    {
        get
        {
            lock (_reader)
            {
                return _borrowedSocket ??= Borrow();
            }
        }
    }

    // The descriptor is held meanwhile: once it is closed its number may be another connection's.
    private Socket Borrow()
    {
        RawSocket? raw = _socket.RawSocket;
        ObjectDisposedException.ThrowIf(_socketClosed || raw is null, this);
        bool held = false;
        try
        {
            raw.Handle.DangerousAddRef(ref held);
            return raw.Borrow();
        }
        finally
        {
            if (held)
            {
                raw.Handle.DangerousRelease();
            }
        }
    }

    bool IFeatureCollection.IsReadOnly => false;

    int IFeatureCollection.Revision => _featureRevision;

    private int _featureRevision;
    private bool _ownIsReplaced;

    object? IFeatureCollection.this[Type key]
    {
        get
        {
            // The usual case first: nobody has replaced what the connection offers from birth.
            if (!_ownIsReplaced && IsOwn(key))
            {
                return this;
            }

            return _set.TryGet(key, out object? value) ? value
                : IsOwn(key) ? this
                : null;
        }

        set
        {
            _featureRevision++;
            _ownIsReplaced |= IsOwn(key);
            _set.Set(key, value); // null hides one of our own
        }
    }

    private static bool IsOwn(Type key)
    {
        foreach (Type own in OwnFeatures)
        {
            if (ReferenceEquals(own, key))
            {
                return true;
            }
        }

        return false;
    }

    TFeature? IFeatureCollection.Get<TFeature>()
        where TFeature : default
        => (TFeature?)((IFeatureCollection)this)[typeof(TFeature)];

    void IFeatureCollection.Set<TFeature>(TFeature? instance)
        where TFeature : default
        => ((IFeatureCollection)this)[typeof(TFeature)] = instance;

    IEnumerator<KeyValuePair<Type, object>> IEnumerable<KeyValuePair<Type, object>>.GetEnumerator() => EnumerateFeatures().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => EnumerateFeatures().GetEnumerator();

    private IEnumerable<KeyValuePair<Type, object>> EnumerateFeatures()
    {
        IFeatureCollection features = this;
        foreach (Type key in OwnFeatures.Union(_set.Keys))
        {
            if (features[key] is { } value)
            {
                yield return new(key, value);
            }
        }
    }
}
