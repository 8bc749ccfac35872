using LoopBridge.Reactors;

namespace LoopBridge.Protocols;

/// <remarks>
/// What the connection is called in the log. The callbacks of a protocol that names itself run in a scope of that name (R-TCPC-20). The
/// scope is part of the ambient context that all of them run under anyway, so it costs nothing per callback; like the reference, which
/// makes its <c>logstr</c> when it connects, the protocol is asked once.
/// </remarks>
internal sealed partial class ReactorTransport
{
    public string LogPrefix { get; }

    private string MakeLogPrefix(Protocol protocol)
    {
        string name = (protocol as ILogPrefix)?.LogPrefix ?? _protocolName;
        return Peer is { } peer ? $"{name},{peer}" : name;
    }

    private ExecutionContext? CaptureAmbient(Protocol protocol)
    {
        if (protocol is not ILogPrefix || _options.Logger is not { } logger || ExecutionContext.IsFlowSuppressed())
        {
            return ExecutionContext.Capture();
        }

        using IDisposable? scope = logger.BeginScope(LogPrefix);
        return ExecutionContext.Capture();
    }
}
