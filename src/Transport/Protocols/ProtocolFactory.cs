using System.Net;

namespace LoopBridge.Protocols;

/// <summary>
/// A factory that knows whether it is in use: <see cref="StartFactory"/> comes before its first listener, <see cref="StopFactory"/> after
/// its last.
/// </summary>
public abstract class ProtocolFactory : IProtocolFactory
{
    private readonly Lock _lock = new();
    private int _uses;

    /// <summary>A factory that calls <paramref name="build"/> for each connection.</summary>
    public static ProtocolFactory Create(Func<Protocol?> build)
    {
        ArgumentNullException.ThrowIfNull(build);
        return new DelegateFactory(_ => build());
    }

    /// <summary>A factory that calls <paramref name="build"/> for each connection, with the peer's address where that is known.</summary>
    public static ProtocolFactory Create(Func<EndPoint?, Protocol?> build)
    {
        ArgumentNullException.ThrowIfNull(build);
        return new DelegateFactory(build);
    }

    /// <inheritdoc />
    public abstract Protocol? BuildProtocol(EndPoint? peer);

    /// <inheritdoc />
    /// <remarks>Any thread: a factory may serve listeners on several loops.</remarks>
    public void DoStart()
    {
        lock (_lock)
        {
            if (_uses == 0)
            {
                StartFactory();
            }

            _uses++;
        }
    }

    /// <inheritdoc />
    /// <remarks>Does nothing if the factory is not in use. Any thread.</remarks>
    public void DoStop()
    {
        lock (_lock)
        {
            if (_uses > 0 && --_uses == 0)
            {
                StopFactory();
            }
        }
    }

    /// <summary>The first listener is about to begin. What it throws is thrown to whoever starts that listener.</summary>
    protected virtual void StartFactory()
    {
    }

    /// <summary>The last listener is closed. What it throws fails the task of the stop.</summary>
    protected virtual void StopFactory()
    {
    }

    private sealed class DelegateFactory(Func<EndPoint?, Protocol?> build) : ProtocolFactory
    {
        public override Protocol? BuildProtocol(EndPoint? peer) => build(peer);

        public override string ToString() => $"{build.Method.DeclaringType?.FullName}.{build.Method.Name}";
    }
}
