using System.Net;
using System.Runtime.InteropServices;

namespace LoopBridge.Benchmarks.ClosedLoop;

/// <summary>Connections to an echo: what comes back must be what was sent. No two messages are alike.</summary>
internal sealed class EchoConnections(IPEndPoint server, int count) : ClosedLoopConnections(server, count, 2 * MessageSize)
{
    public const int MessageSize = 64;

    protected override ReadOnlySpan<byte> Next(int index, ref State state)
    {
        // One that is late, doubled or another connection's is found out.
        Span<byte> message = Room(index)[..MessageSize];
        MemoryMarshal.Write(message, index);
        MemoryMarshal.Write(message[sizeof(long)..], ++state.Sequence);
        return message;
    }

    protected override Span<byte> Answer(int index) => Room(index)[MessageSize..];

    protected override ConnectionStep Check(int index, ReadOnlySpan<byte> answer, int received)
    {
        if (received < MessageSize)
            return ConnectionStep.Partial;
        return answer.SequenceEqual(Room(index)[..MessageSize]) ? ConnectionStep.Whole : ConnectionStep.Wrong;
    }
}
