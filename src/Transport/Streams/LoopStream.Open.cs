using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Sockets;

namespace LoopBridge.Streams;

public sealed partial class LoopStream
{
    /// <summary>Makes a stream of a connected stream socket: one that was accepted, or connected otherwise.</summary>
    /// <param name="loop">The loop it will live on; the caller is on its thread.</param>
    /// <param name="socket">
    /// Connected, with no operation pending. Belongs to the stream afterwards: do not use or dispose of it any more. After an exception it
    /// is the caller's as before.
    /// </param>
    /// <param name="options">Settings; null for the defaults.</param>
    /// <exception cref="ArgumentException">It is no connected stream socket.</exception>
    /// <exception cref="SocketException">The socket cannot be taken over: the process is out of descriptors.</exception>
    /// <exception cref="InvalidOperationException">The caller is not on the loop's thread.</exception>
    public static LoopStream FromSocket(IEventLoop loop, Socket socket, LoopStreamOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(socket);
        VerifyAccess(loop);
        if (socket.SocketType != SocketType.Stream || !socket.Connected)
        {
            throw new ArgumentException("A stream needs a connected stream socket: accept or connect first.", nameof(socket));
        }

        options ??= LoopStreamOptions.Default;
        RawSocket raw = HandlerSocketDriver.For(loop).AdoptSocket(socket);
        if (options.NoDelay && raw.IsTcp)
        {
            raw.SetNoDelay(true);
        }

        return FromSocket(loop, raw, options);
    }

    /// <summary>
    /// Begins to connect and gives the stream at once. What is written meanwhile is kept and sent afterwards; a read waits.
    /// <see cref="Connected"/> tells the end, before any read or write is done.
    /// </summary>
    /// <remarks>
    /// A failure closes the stream: whatever waits fails in the order read, writes, connect, then the close is told, and
    /// <see cref="Error"/> says why. <see cref="CloseAsync"/> gives up at once.
    /// </remarks>
    /// <param name="loop">The loop it will live on; the caller is on its thread.</param>
    /// <param name="endPoint">
    /// An <see cref="IPEndPoint"/>, a <see cref="UnixDomainSocketEndPoint"/>, or a <see cref="DnsEndPoint"/>, whose addresses are tried one
    /// after the other.
    /// </param>
    /// <param name="options">Settings; null for the defaults.</param>
    /// <exception cref="InvalidOperationException">The caller is not on the loop's thread.</exception>
    public static LoopStream Connect(IEventLoop loop, EndPoint endPoint, LoopStreamOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(endPoint);
        VerifyAccess(loop);
        var channel = new ConnectingChannel(loop);
        var stream = new LoopStream(new StreamSocket(loop, channel), options);
        stream._socket.Start(stream._sink);
        stream.BeginConnect(channel, endPoint);
        return stream;
    }

    /// <summary>Connects. Any thread; the stream that comes of it is to be used on the loop's.</summary>
    /// <param name="loop">The loop it will live on.</param>
    /// <param name="endPoint">As for <see cref="Connect"/>.</param>
    /// <param name="options">Settings; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up, and closes what was begun.</param>
    /// <exception cref="StreamClosedException">
    /// It failed. The cause is a <see cref="SocketException"/>, or a <see cref="Resolvers.NameResolutionException"/> when the name has no
    /// address.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    /// <exception cref="ObjectDisposedException">The loop is closed.</exception>
    public static ValueTask<LoopStream> ConnectAsync(
        IEventLoop loop, EndPoint endPoint, LoopStreamOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(endPoint);
        if (loop.IsOnLoopThread)
        {
            return new ValueTask<LoopStream>(ConnectOnLoopAsync(loop, endPoint, options, cancellationToken));
        }

        var request = new ConnectRequest(loop, endPoint, options, cancellationToken);
        if (!loop.AddCallback(static state => _ = ((ConnectRequest)state!).RunAsync(), request))
        {
            request.OnDropped();
        }

        return new ValueTask<LoopStream>(request.Outcome);
    }

    /// <summary>Makes a stream of a connected socket of a driver, which has its options already. Loop thread.</summary>
    internal static LoopStream FromSocket(IEventLoop loop, RawSocket raw, LoopStreamOptions? options)
    {
        var stream = new LoopStream(new StreamSocket(loop, HandlerSocketDriver.For(loop).OpenStream(raw)), options);
        stream._socket.Start(stream._sink);
        return stream;
    }

    private static async Task<LoopStream> ConnectOnLoopAsync(
        IEventLoop loop, EndPoint endPoint, LoopStreamOptions? options, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        LoopStream stream = Connect(loop, endPoint, options);
        stream._connectToken = cancellationToken;
        using (cancellationToken.UnsafeRegister(static sink => ((Sink)sink!).Request(), stream._sink))
        {
            try
            {
                await stream.Connected.ConfigureAwait(false);
                return stream;
            }
            catch (StreamClosedException e) when (e.InnerException is OperationCanceledException && cancellationToken.IsCancellationRequested)
            {
                throw new OperationCanceledException(e.Message, e, cancellationToken); // the caller's wish, and not a failure of the peer's
            }
        }
    }

    /// <summary>
    /// A connect that was asked for on another thread. The caller's code goes on on the pool: it has nothing to do with the loop's thread.
    /// </summary>
    private sealed class ConnectRequest(IEventLoop loop, EndPoint endPoint, LoopStreamOptions? options, CancellationToken cancellationToken)
        : IDropped
    {
        private readonly TaskCompletionSource<LoopStream> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task<LoopStream> Outcome => _outcome.Task;

        internal async Task RunAsync()
        {
            Task<LoopStream> connect = ConnectOnLoopAsync(loop, endPoint, options, cancellationToken);
            await ((Task)connect).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _outcome.SetFromTask(connect);
        }

        public void OnDropped() => _outcome.SetException(
            new ObjectDisposedException(nameof(IEventLoop), $"Cannot connect to {endPoint}: the loop is closed."));
    }
}
