using System.Net;
using LoopBridge.Reactors;

namespace LoopBridge.Protocols;

/// <remarks>
/// What the connection is called in the log. The callbacks of a protocol that names itself run in a scope of that name (R-TCPC-20). The
/// scope is part of the ambient context that all of them run under anyway, so it costs nothing per callback; like the reference, which
/// makes its <c>logstr</c> when it connects, the protocol is asked once.
/// </remarks>
internal sealed partial class ReactorTransport
{
    private string? _logPrefix;

    public string LogPrefix => _logPrefix ??= NameWithPeer(_protocolName, Peer);

    internal static string MakeLogPrefix(Protocol protocol, EndPoint? peer)
        => NameWithPeer((protocol as ILogPrefix)?.LogPrefix ?? protocol.GetType().Name, peer);

    private static string NameWithPeer(string name, EndPoint? peer) => peer is null ? name : $"{name},{peer}";

    private ExecutionContext? CaptureAmbient(Protocol protocol)
    {
        if (protocol is not ILogPrefix named)
        {
            return ExecutionContext.Capture();
        }

        _logPrefix = NameWithPeer(named.LogPrefix, Peer);
        using IDisposable? scope = _options.Logger?.BeginScope(_logPrefix);
        return ExecutionContext.Capture();
    }
}
