using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Transport.Tests.Drivers;

/// <summary>Two connected .NET sockets: a near one that does not block, for the driver, and a far one that does, for the test.</summary>
internal sealed class SocketPair : IDisposable
{
    private SocketPair(Socket near, Socket far)
    {
        Near = near;
        Far = far;
        Near.Blocking = false;
        Far.ReceiveTimeout = Far.SendTimeout = 30_000;
    }

    internal Socket Near { get; }

    internal Socket Far { get; }

    internal static SocketPair Tcp() => Connect("ipv4");

    internal static SocketPair Unix() => Connect(OperatingSystem.IsLinux() ? "abstract" : "unix");

    internal void ResetFar()
    {
        Far.LingerState = new LingerOption(true, 0);
        Far.Dispose();
    }

    internal void Drain()
    {
        byte[] sink = new byte[1024];
        while (Near.Receive(sink, SocketFlags.None, out _) > 0)
        {
            // Until it would block.
        }
    }

    public void Dispose()
    {
        Near.Dispose();
        Far.Dispose();
    }

    private static SocketPair Connect(string address)
    {
        EndPoint endPoint = DriverCases.NewEndPoint(address);
        using Socket listener = NewSocket(endPoint);
        listener.Bind(endPoint);
        listener.Listen();
        Socket far = NewSocket(endPoint);
        far.Connect(listener.LocalEndPoint!);
        return new SocketPair(listener.Accept(), far);
    }

    internal static Socket NewSocket(EndPoint endPoint)
        => new(endPoint.AddressFamily, SocketType.Stream, endPoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
}
