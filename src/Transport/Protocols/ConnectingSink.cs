using LoopBridge.Sockets;

namespace LoopBridge.Protocols;

/// <summary>Keeps the place of the transport while a stream connects: a protocol is built only when there is a connection.</summary>
internal sealed class ConnectingSink(StreamSocket socket) : ISocketSink
{
    internal StreamSocket Socket => socket;

    internal bool IsClosed { get; private set; }

    internal Exception? Reason { get; private set; }

    public void OnReceivable()
    {
        // What has arrived waits in the kernel; the transport receives when it begins.
    }

    public void OnSendDrained()
    {
    }

    public void OnSendFinished()
    {
    }

    public void OnClosed(Exception? reason)
    {
        IsClosed = true;
        Reason = reason;
    }
}
