using System.Net;
using System.Net.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>Plain .NET sockets for tests that make their stream themselves.</summary>
internal static class SocketPairs
{
    /// <summary>Both ends of a loopback connection; buffers of a fixed size, so that a test can send more than they hold.</summary>
    internal static async Task<(Socket Near, Socket Far)> ConnectAsync()
    {
        using Socket listener = Listen();
        listener.ReceiveBufferSize = listener.SendBufferSize = 256 * 1024;
        var near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await near.ConnectAsync(listener.LocalEndPoint!).WithDeadline(); // has been in .NET's own poll set, like a real one
        return (near, await listener.AcceptAsync().WithDeadline());
    }

    internal static Socket Listen(int backlog = 16)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(backlog);
        return listener;
    }

    /// <summary>What tells this socket from all others, whatever its descriptor's number. Linux.</summary>
    internal static string Identity(Socket socket) => Identity((int)socket.SafeHandle.DangerousGetHandle());

    internal static string Identity(int descriptor) => new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget!;

    /// <summary>The one descriptor of a socket of that identity.</summary>
    internal static int DescriptorOf(string identity)
        => int.Parse(Assert.Single(LeakCheck.Open(), entry => entry.EndsWith(identity, StringComparison.Ordinal)).Split(' ')[0], null);

    /// <summary>A .NET socket over a stream's own, to look at its options.</summary>
    internal static Socket Borrow(string identity) => new(new SafeSocketHandle(DescriptorOf(identity), ownsHandle: false));
}
