using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Sockets;

namespace LoopBridge.Protocols;

/// <summary>One attempt of a connector at one address, all of it on the loop.</summary>
internal static class StreamAttempt
{
    /// <summary>Loop thread, under the loop's context. The token may fire on any thread.</summary>
    /// <exception cref="SocketException">The peer refused, or there is no socket to be had.</exception>
    /// <exception cref="ConnectBindException"><paramref name="source"/> cannot be had.</exception>
    internal static async Task<ConnectingSink> ConnectAsync(
        IEventLoop loop, EndPoint endPoint, EndPoint? source, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ISocketDriver driver = HandlerSocketDriver.For(loop);
        RawSocket raw = driver.CreateSocket(endPoint.AddressFamily);
        StreamSocket socket;
        try
        {
            if (source is not null && raw.Bind(source) is not SocketError.Success and SocketError error)
            {
                throw new ConnectBindException(source, new SocketException((int)error));
            }

            socket = new StreamSocket(loop, driver.OpenStream(raw));
        }
        catch
        {
            raw.Dispose(); // the failure goes on to the caller; the socket must not
            throw;
        }

        var sink = new ConnectingSink(socket);
        Task connected = socket.ConnectAsync(endPoint, sink);
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((StreamSocket)state!).RequestAbort(new OperationCanceledException(token), reset: false), socket);
        await connected;
        return sink;
    }
}
