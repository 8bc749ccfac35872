using System.Net.Sockets;
using LoopBridge.Drivers;

namespace LoopBridge.Transport.Tests.Drivers;

/// <summary>Notes what a channel tells its owner.</summary>
internal sealed class RecordingOwner : IStreamChannelOwner, IListenChannelOwner
{
    internal SocketError? Connected { get; private set; }

    internal int Receivable { get; private set; }

    internal int SendReady { get; private set; }

    internal int Closed { get; private set; }

    internal int Acceptable { get; private set; }

    public void OnConnected(SocketError error) => Connected = error;

    public void OnReceivable() => Receivable++;

    public void OnSendProgress(IoResult done) => SendReady++;

    public void OnFailed(Exception reason) => Assert.Fail($"A socket reports its errors as results: {reason}");

    public void OnClosed() => Closed++;

    public void OnAcceptable() => Acceptable++;
}
