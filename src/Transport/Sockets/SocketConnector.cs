using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Sockets;

/// <summary>Opens outbound streams: IPv4, IPv6 and UNIX.</summary>
internal static class SocketConnector
{
    /// <summary>
    /// Connects on <paramref name="loop"/> and hands the running stream to the sink that <paramref name="makeSink"/> makes. Any thread.
    /// </summary>
    /// <exception cref="System.Net.Sockets.SocketException">The peer refused, or the like.</exception>
    /// <exception cref="OperationCanceledException">The token fired first; the half-open socket is closed.</exception>
    internal static async Task<TSink> ConnectAsync<TSink>(
        IEventLoop loop,
        EndPoint endPoint,
        StreamSocketOptions options,
        Func<StreamSocket, TSink> makeSink,
        CancellationToken cancellationToken,
        EndPoint? source = null,
        bool noDelay = true)
        where TSink : ISocketSink
    {
        cancellationToken.ThrowIfCancellationRequested();
        var outcome = new TaskCompletionSource<TSink>(TaskCreationOptions.RunContinuationsAsynchronously);
        StreamSocket? socket = null;
        var work = new ConnectWork(Begin);
        if (!loop.Post(work))
        {
            throw new ObjectDisposedException(nameof(IEventLoop), $"Cannot connect to {endPoint}: the loop is closed.");
        }

        using (cancellationToken.UnsafeRegister(_ => loop.Post(new ConnectWork(Cancel)), null))
        {
            return await outcome.Task.ConfigureAwait(false);
        }

        void Begin()
        {
            if (cancellationToken.IsCancellationRequested)
            {
                outcome.TrySetCanceled(cancellationToken);
                return;
            }

            RawSocket? raw = null;
            try
            {
                ISocketDriver driver = HandlerSocketDriver.For(loop);
                raw = driver.CreateSocket(endPoint.AddressFamily);
                if (noDelay && raw.IsTcp)
                {
                    raw.SetNoDelay(true);
                }

                if (source is not null && raw.Bind(source) is not SocketError.Success and SocketError error)
                {
                    throw new SocketException((int)error);
                }

                socket = new StreamSocket(loop, driver.OpenStream(raw), options);
                TSink sink = makeSink(socket);
                _ = FinishAsync(socket.ConnectAsync(endPoint, sink), sink);
            }
            catch (Exception e)
            {
                // Out of descriptors, a family this machine lacks, or a sink that could not be made: the caller's to handle.
                if (socket is null)
                {
                    raw?.Dispose();
                }
                else
                {
                    socket.Close(e, reset: false);
                }

                outcome.TrySetException(e);
            }
        }

        async Task FinishAsync(Task connected, TSink sink)
        {
            try
            {
                await connected.ConfigureAwait(false);
                outcome.TrySetResult(sink);
            }
            catch (Exception e)
            {
                // Expected: refused, unreachable, timed out; or cancelled below.
                if (cancellationToken.IsCancellationRequested)
                {
                    outcome.TrySetCanceled(cancellationToken);
                }
                else
                {
                    outcome.TrySetException(e);
                }
            }
        }

        void Cancel()
        {
            if (outcome.TrySetCanceled(cancellationToken))
            {
                socket?.Close(new OperationCanceledException(cancellationToken), reset: false);
            }
        }
    }

    private sealed class ConnectWork(Action run) : ILoopWork
    {
        public void Run() => run();
    }
}
