using LoopBridge.Protocols;

namespace WebApp;

/// <summary>Reactor style: a callback says what came, and what is written goes out at the end of the turn.</summary>
internal sealed class EchoProtocol : Protocol
{
    public override void DataReceived(ReadOnlySpan<byte> data) => Transport.Write(data);
}
