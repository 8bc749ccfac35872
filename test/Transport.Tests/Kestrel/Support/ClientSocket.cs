using System.Net.Sockets;
using System.Text;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Kestrel;

/// <summary>What a client does with a plain socket, each wait bounded.</summary>
internal static class ClientSocket
{
    internal static async Task SendAllAsync(this Socket client, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await client.SendAsync(bytes).WithDeadline()..];
        }
    }

    internal static Task SendTextAsync(this Socket client, string text) => client.SendAllAsync(Encoding.ASCII.GetBytes(text));

    /// <summary>Sends to a peer that has a limit, until the kernel takes no more, and tells how much that was.</summary>
    internal static int SendUntilFull(this Socket client)
    {
        byte[] bytes = new byte[64 * 1024];
        client.Blocking = false;
        int total = 0;
        while (true)
        {
            int sent = client.Send(bytes, SocketFlags.None, out SocketError error);
            if (error == SocketError.WouldBlock)
            {
                client.Blocking = true;
                return total;
            }

            Assert.Equal(SocketError.Success, error);
            total += sent;
            Assert.InRange(total, 0, 256 * 1024 * 1024);
        }
    }

    internal static async Task<byte[]> ReceiveExactlyAsync(this Socket client, int count)
    {
        byte[] bytes = new byte[count];
        int received = 0;
        while (received < count)
        {
            int n = await client.ReceiveAsync(bytes.AsMemory(received)).WithDeadline();
            Assert.True(n > 0, $"The stream ended after {received} of {count} bytes.");
            received += n;
        }

        return bytes;
    }

    /// <summary>All until the end of the stream.</summary>
    internal static async Task<byte[]> ReceiveToEndAsync(this Socket client)
    {
        using var all = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        while (await client.ReceiveAsync(buffer).WithDeadline() is int count and > 0)
        {
            all.Write(buffer, 0, count);
        }

        return all.ToArray();
    }

    internal static async Task<string> ReceiveTextToEndAsync(this Socket client) => Encoding.ASCII.GetString(await client.ReceiveToEndAsync());

    /// <summary>Receives until the text ends so.</summary>
    internal static async Task<string> ReceiveUntilAsync(this Socket client, string end)
    {
        var text = new StringBuilder();
        byte[] buffer = new byte[4096];
        while (!text.ToString().EndsWith(end, StringComparison.Ordinal))
        {
            int count = await client.ReceiveAsync(buffer).WithDeadline();
            Assert.True(count > 0, $"The stream ended after: {text}");
            text.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        return text.ToString();
    }

    internal static void Reset(this Socket client)
    {
        client.LingerState = new LingerOption(enable: true, seconds: 0);
        client.Dispose();
    }

    /// <summary>Receives until the peer's reset shows.</summary>
    internal static async Task AssertResetAsync(this Socket client)
    {
        SocketException reset = await Assert.ThrowsAsync<SocketException>(() => client.ReceiveToEndAsync());
        Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
    }
}
