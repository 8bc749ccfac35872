using System.Net;
using System.Net.Sockets;
using System.Text;
using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>A server on a loop of its own, and plain sockets as its clients.</summary>
public abstract class TcpServerTest : LoopContract
{
    /// <summary>A handler that answers at once and ends.</summary>
    internal static Task Greet(LoopStream stream) => stream.WriteAsync("hello"u8.ToArray()).AsTask();

    /// <summary>A handler that sends back whatever comes, until the peer finishes.</summary>
    internal static async Task Echo(LoopStream stream)
    {
        byte[] buffer = new byte[256];
        while (true)
        {
            int count = await stream.ReadAsync(buffer);
            await stream.WriteAsync(buffer.AsMemory(0, count));
        }
    }

    /// <summary>The settings of the tests' servers: what is logged is the test's to take.</summary>
    protected LoopTcpServerOptions Options => new() { Logger = Log.CreateLogger("server") };

    protected static EndPoint EndPointOf(LoopTcpServer server) => server.EndPoints[0];

    /// <summary>On the loopback address, at a port of the system's choice.</summary>
    internal static void ListenAnywhere(LoopTcpServer server) => server.Listen(0, IPAddress.Loopback);

    /// <summary>A server that listens already.</summary>
    private protected LoopTcpServer Serve(LoopThread thread, Func<LoopStream, Task> handler, LoopTcpServerOptions? options = null)
    {
        var server = new LoopTcpServer(thread.Loop, handler, options ?? Options);
        ListenAnywhere(server);
        return server;
    }

    protected Socket Connect(EndPoint endPoint)
    {
        Socket client = Own(new Socket(
            endPoint.AddressFamily, SocketType.Stream, endPoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified));
        client.Connect(endPoint);
        return client;
    }

    protected void AssertRefused(EndPoint endPoint)
    {
        SocketException error = Assert.Throws<SocketException>(() => Connect(endPoint));
        Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
    }

    /// <summary>What the server sends until it finishes.</summary>
    protected static async Task<string> ReadToEndAsync(Socket client)
    {
        var all = new StringBuilder();
        byte[] buffer = new byte[256];
        int count;
        while ((count = await client.ReceiveAsync(buffer).WithDeadline()) > 0)
        {
            all.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        return all.ToString();
    }

    /// <summary>Sends a text and waits until as much has come back.</summary>
    protected static async Task<string> ExchangeAsync(Socket client, string text)
    {
        client.Send(Encoding.ASCII.GetBytes(text));
        byte[] buffer = new byte[text.Length];
        int count = 0;
        while (count < buffer.Length)
        {
            int more = await client.ReceiveAsync(buffer.AsMemory(count)).AsTask().WithDeadline();
            Assert.NotEqual(0, more);
            count += more;
        }

        return Encoding.ASCII.GetString(buffer);
    }

    /// <summary>Lets the loop take turns until something holds.</summary>
    protected static Task UntilAsync(LoopThread thread, Func<bool> condition) => thread.RunAsync(async _ =>
    {
        while (!condition())
        {
            await Task.Yield();
        }
    });
}
