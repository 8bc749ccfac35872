using System.Net;
using System.Net.Sockets;
using LoopBridge.Protocols;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>The other side: a plain socket.</summary>
internal sealed class Peer(Socket socket) : IDisposable
{
    internal Socket Socket => socket;

    internal static async Task<Peer> ConnectAsync(IListeningPort port, int? receiveBuffer = null)
    {
        var socket = new Socket(port.Host.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBuffer is { } size)
        {
            socket.ReceiveBufferSize = size;
        }

        try
        {
            await socket.ConnectAsync((IPEndPoint)port.Host).WithDeadline();
            return new Peer(socket);
        }
        catch
        {
            socket.Dispose(); // refused, which the test may expect: not left to the finalizer, which the leak check would wait for
            throw;
        }
    }

    internal async Task SendAsync(ReadOnlyMemory<byte> data)
    {
        while (!data.IsEmpty)
        {
            data = data[await socket.SendAsync(data).AsTask().WithDeadline()..];
        }
    }

    internal async Task<byte[]> ReadAsync(int count)
    {
        byte[] buffer = new byte[count];
        int read = 0;
        while (read < count)
        {
            int more = await socket.ReceiveAsync(buffer.AsMemory(read)).AsTask().WithDeadline();
            Assert.True(more > 0, $"The stream ended after {read} of {count} bytes.");
            read += more;
        }

        return buffer;
    }

    internal async Task<byte[]> ReadToEndAsync()
    {
        var all = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        while (await socket.ReceiveAsync(buffer.AsMemory()).AsTask().WithDeadline() is int count and > 0)
        {
            all.Write(buffer, 0, count);
        }

        return all.ToArray();
    }

    /// <summary>Reads until the other side resets the connection; fails if it ends in order.</summary>
    internal async Task<byte[]> ReadToResetAsync()
    {
        var all = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        try
        {
            while (await socket.ReceiveAsync(buffer.AsMemory()).AsTask().WithDeadline() is int count and > 0)
            {
                all.Write(buffer, 0, count);
            }
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return all.ToArray(); // what the test waits for
        }

        Assert.Fail("The connection ended in order, and a reset was expected.");
        return [];
    }

    internal void FinishSending() => socket.Shutdown(SocketShutdown.Send);

    internal void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    public void Dispose() => socket.Dispose();
}
