using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Drivers.Managed;

/// <summary>
/// Wakes a Select: a datagram socket connected to itself, so that the kernel drops whatever comes from anybody else. A full queue means the
/// receiver is certainly readable, hence awake.
/// </summary>
internal sealed class SelfSocket : IDisposable
{
    private static readonly byte[] Signal1 = [1];

    internal SelfSocket()
    {
        IPAddress loopback = Socket.OSSupportsIPv4 ? IPAddress.Loopback : IPAddress.IPv6Loopback;
        Receiver = new Socket(loopback.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        Receiver.Bind(new IPEndPoint(loopback, 0));
        Receiver.Connect(Receiver.LocalEndPoint!);
        Receiver.Blocking = false;
    }

    internal Socket Receiver { get; }

    /// <summary>Any thread, also after dispose.</summary>
    internal void Signal()
    {
        try
        {
            _ = Receiver.Send(Signal1, SocketFlags.None, out _); // "would block": signals enough are waiting
        }
        catch (ObjectDisposedException)
        {
            // Expected when a post races with the end of the loop: nobody is left to wake.
        }
    }

    internal void Drain()
    {
        Span<byte> sink = stackalloc byte[1];
        while (Receiver.Receive(sink, SocketFlags.None, out SocketError error) > 0 && error == SocketError.Success)
        {
            // Each datagram is one signal; only that there was one matters.
        }
    }

    public void Dispose() => Receiver.Dispose();
}
