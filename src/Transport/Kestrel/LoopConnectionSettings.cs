using System.Buffers;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Kestrel;

/// <summary>What the connections of one endpoint on one loop share.</summary>
internal sealed class LoopConnectionSettings
{
    private int _users = 1;

    internal LoopConnectionSettings(
        LoopBridgeOptions options, LoopMember member, ElasticThreads workers, EndpointStanding endpoint, MemoryPool<byte> pool, ILogger logger)
    {
        Member = member;
        Workers = workers;
        Endpoint = endpoint;
        Pool = pool;
        Logger = logger;
        Scheduling = options.Scheduling;
        OverstayLimit = options.OverstayLimit;
        MaxReadBufferSize = options.MaxReadBufferSize;
        FinOnError = options.FinOnError;
        AllowHalfClose = options.AllowHalfClose;
        Socket = new StreamSocketOptions { Pool = pool, SendHighWater = options.MaxWriteBufferSize ?? 0 };
    }

    internal LoopMember Member { get; }

    /// <summary>Where code runs that has overstayed on a loop.</summary>
    internal ElasticThreads Workers { get; }

    /// <summary>Shared with the endpoint's connections on the other loops.</summary>
    internal EndpointStanding Endpoint { get; }

    internal MemoryPool<byte> Pool { get; }

    internal ILogger Logger { get; }

    internal LoopScheduling Scheduling { get; }

    /// <summary>How long a run of a connection's code may hold the loop, or a worker without being blamed for it.</summary>
    internal TimeSpan OverstayLimit { get; }

    internal long? MaxReadBufferSize { get; }

    internal bool FinOnError { get; }

    internal bool AllowHalfClose { get; }

    internal StreamSocketOptions Socket { get; }

    /// <summary>What the endpoint may have; null: no limit, or no endpoint.</summary>
    internal AcceptLimit? Limit { get; init; }

    /// <summary>One connection less on the loop and at the endpoint: its socket is closed. Any thread.</summary>
    internal void OnConnectionEnded()
    {
        Member.Release();
        Limit?.Leave();
    }

    /// <summary>One connection more that takes blocks from the pool.</summary>
    internal void Retain() => Interlocked.Increment(ref _users);

    /// <summary>
    /// A connection, or the endpoint itself, needs the pool no more. The last one closes it: Kestrel's pool gives no blocks after that, and
    /// a connection that outlives its listener or factory goes on.
    /// </summary>
    internal void Release()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            Pool.Dispose();
        }
    }
}
