using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using LoopBridge.Testing;

namespace LoopBridge.Middleware.Tests.Handlers;

/// <summary>A client, whatever it came by: its two directions, the end of one, and a rude end of both.</summary>
internal sealed class Client(Stream stream, Func<Task> finishSending, Action reset) : IAsyncDisposable
{
    internal Stream Stream => stream;

    internal Task FinishSendingAsync() => finishSending().WithDeadline();

    internal void Reset() => reset();

    internal static async Task<Client> TcpAsync(EndPoint endPoint)
    {
        Socket socket = await ConnectAsync(endPoint);
        return new Client(new NetworkStream(socket, ownsSocket: true), () => FinishAsync(socket), () => ResetSocket(socket));
    }

    internal static Task<Client> TlsAsync(EndPoint endPoint) => TlsAsync(endPoint, TestCertificate.Localhost.Equals);

    internal static async Task<Client> TlsAsync(EndPoint endPoint, Func<X509Certificate, bool> isExpected)
    {
        Socket socket = await ConnectAsync(endPoint);
        var tls = new SslStream(
            new NetworkStream(socket, ownsSocket: true),
            leaveInnerStreamOpen: false,
            (_, certificate, _, _) => certificate is not null && isExpected(certificate));
        await tls.AuthenticateAsClientAsync("localhost").WithDeadline();
        return new Client(tls, tls.ShutdownAsync, () => ResetSocket(socket));
    }

    internal static Client Memory(MemoryConnection connection) => new(
        connection.AsStream(),
        () => connection.Output.CompleteAsync().AsTask(),
        () => connection.Output.Complete(new IOException("The client resets.")));

    internal static async Task<Client> WebSocketAsync(Uri address, WebSocketMessageType type = WebSocketMessageType.Binary)
    {
        var webSocket = new ClientWebSocket();
        await webSocket.ConnectAsync(address, TestContext.Current.CancellationToken).WithDeadline();
        return new Client(
            WebSocketStream.Create(webSocket, type, ownsWebSocket: true),
            () => webSocket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None),
            webSocket.Abort);
    }

    internal Task SendAsync(ReadOnlyMemory<byte> data) => Stream.WriteAsync(data, TestContext.Current.CancellationToken).WithDeadline();

    internal async Task<byte[]> ReceiveAsync(int count)
    {
        byte[] received = new byte[count];
        await Stream.ReadExactlyAsync(received, TestContext.Current.CancellationToken).WithDeadline();
        return received;
    }

    /// <summary>All that comes until the orderly end.</summary>
    internal async Task<byte[]> ReceiveAllAsync()
    {
        using var all = new MemoryStream();
        await Stream.CopyToAsync(all, TestContext.Current.CancellationToken).WithDeadline();
        return all.ToArray();
    }

    /// <summary>Waits for the end, of whichever kind; bytes that still come do not count.</summary>
    internal async Task WaitForEndAsync()
    {
        try
        {
            await ReceiveAllAsync();
        }
        catch (Exception e) when (e is IOException or SocketException or WebSocketException or OperationCanceledException)
        {
            // A reset is an end too.
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Stream.DisposeAsync().WithDeadline();
        }
        catch (Exception e) when (e is IOException or WebSocketException)
        {
            // The connection was broken before; that is what the test was about.
        }
    }

    private static async Task<Socket> ConnectAsync(EndPoint endPoint)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(endPoint, TestContext.Current.CancellationToken).WithDeadline();
        return socket;
    }

    private static Task FinishAsync(Socket socket)
    {
        socket.Shutdown(SocketShutdown.Send);
        return Task.CompletedTask;
    }

    private static void ResetSocket(Socket socket)
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }
}
