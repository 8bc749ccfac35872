using System.Buffers;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Kestrel;

/// <summary>What the connections of one endpoint on one loop share.</summary>
internal sealed class LoopConnectionSettings
{
    internal LoopConnectionSettings(LoopBridgeOptions options, LoopMember member, MemoryPool<byte> pool, ILogger logger)
    {
        Member = member;
        Pool = pool;
        Logger = logger;
        Scheduling = options.Scheduling;
        MaxReadBufferSize = options.MaxReadBufferSize;
        FinOnError = options.FinOnError;
        Socket = new StreamSocketOptions { Pool = pool, SendHighWater = options.MaxWriteBufferSize ?? 0 };
    }

    internal LoopMember Member { get; }

    internal MemoryPool<byte> Pool { get; }

    internal ILogger Logger { get; }

    internal LoopScheduling Scheduling { get; }

    internal long? MaxReadBufferSize { get; }

    internal bool FinOnError { get; }

    internal StreamSocketOptions Socket { get; }
}
