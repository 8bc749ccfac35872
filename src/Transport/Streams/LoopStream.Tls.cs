using System.Net.Security;
using LoopBridge.Sockets;

namespace LoopBridge.Streams;

/// <remarks>
/// An upgrade makes a second stream over the same socket, with TLS in between (<see cref="TlsChannel"/>). The first becomes a husk: it
/// passes on what ends or watches the connection, and refuses the rest.
/// </remarks>
public sealed partial class LoopStream
{
    /// <summary>How long a handshake may take if nothing else is said: 10 seconds, as in Kestrel.</summary>
    public static readonly TimeSpan DefaultHandshakeTimeout = TimeSpan.FromSeconds(10);

    private readonly TlsChannel? _tls;
    private volatile LoopStream? _successor;
    private StreamOperation? _handshakeOperation;
    private StreamOperation? _pendingHandshake;
    private Exception? _handshakeFailure;
    private bool _lookedAhead;

    private LoopStream(LoopStream plain, TlsParameters parameters, byte? ahead)
    {
        StreamSocket below = plain._socket;
        _sink = new Sink(this);
        _tls = new TlsChannel(below, parameters, _sink, ahead);
        _socket = new StreamSocket(below.Loop, _tls, new StreamSocketOptions { SendHighWater = below.SendHighWater });
        _logger = plain._logger;
        _resolver = plain._resolver;
        _maxWriteBufferSize = plain._maxWriteBufferSize;
        _maxBufferSize = plain._maxBufferSize;
        _chunkSize = plain._chunkSize;
        _noDelay = plain._noDelay;
    }

    /// <summary>
    /// What was agreed upon in the handshake; null before it is done, and without TLS. Any thread; stays after the close.
    /// </summary>
    public TlsInfo? Tls { get; private set; }

    /// <summary>
    /// Upgrades the connection to TLS, as the server. The handshake begins, and the stream to go on with is there at once: what is read
    /// and written there before the handshake is done waits for it. Tornado: <c>start_tls</c>.
    /// </summary>
    /// <remarks>
    /// <para>This stream is unusable from now on. Closing or disposing of it closes the new one, <see cref="Closed"/> is that of the new
    /// one, and what was registered with <see cref="OnClosed"/> moves over. Bytes whose write was done leave before the handshake,
    /// unencrypted.</para>
    /// <para>If the handshake fails, the new stream is closed: its reads and writes throw <see cref="StreamClosedException"/> with the
    /// cause, and <see cref="WaitForHandshakeAsync"/> throws the cause itself. Nothing is logged.</para>
    /// <para>The new stream's <see cref="CloseAsync"/> tells the peer that nothing more comes (close_notify). A peer that ends the
    /// connection without doing so may have been cut off: that is an error and not the end of the stream.</para>
    /// </remarks>
    /// <param name="options">
    /// At least a certificate. Leave it alone until the handshake is done. With <c>ServerCertificateContext</c> and without client
    /// certificates the handshake runs on the loop, otherwise on the thread pool, because it may have to fetch certificates from the
    /// network; callbacks of the options run there, too.
    /// </param>
    /// <param name="handshakeTimeout">
    /// After which time the handshake has failed. Defaults to <see cref="DefaultHandshakeTimeout"/>;
    /// <see cref="Timeout.InfiniteTimeSpan"/> for no limit.
    /// </param>
    /// <returns>The stream to use instead of this one, on the same loop.</returns>
    /// <exception cref="ArgumentException">The options name no certificate. Nothing is changed.</exception>
    /// <exception cref="InvalidOperationException">
    /// A read, a write or the connect is pending, or bytes were received that nobody has read: they came in the clear, and must not pass
    /// for encrypted ones. Or the stream was upgraded before, or the caller is not on the loop's thread. Nothing is changed.
    /// </exception>
    /// <exception cref="StreamClosedException">The stream is closed.</exception>
    public LoopStream StartTls(SslServerAuthenticationOptions options, TimeSpan? handshakeTimeout = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Upgrade(new TlsParameters(options, VerifyTimeout(handshakeTimeout)));
    }

    /// <summary>
    /// Upgrades the connection to TLS, as the client; otherwise as
    /// <see cref="StartTls(SslServerAuthenticationOptions, TimeSpan?)"/>.
    /// </summary>
    /// <param name="options">
    /// <c>TargetHost</c> is the name the server's certificate has to be for; without one the handshake fails, unless a
    /// <c>RemoteCertificateValidationCallback</c> says otherwise. Leave the options alone until the handshake is done. It runs on the
    /// thread pool, because it may have to fetch certificates from the network; callbacks of the options run there, too.
    /// </param>
    /// <param name="handshakeTimeout">
    /// After which time the handshake has failed. Defaults to <see cref="DefaultHandshakeTimeout"/>;
    /// <see cref="Timeout.InfiniteTimeSpan"/> for no limit.
    /// </param>
    /// <returns>The stream to use instead of this one, on the same loop.</returns>
    /// <exception cref="InvalidOperationException">
    /// A read, a write or the connect is pending, or bytes were received that nobody has read: they came in the clear, and must not pass
    /// for encrypted ones. Or the stream was upgraded before, or the caller is not on the loop's thread. Nothing is changed.
    /// </exception>
    /// <exception cref="StreamClosedException">The stream is closed.</exception>
    public LoopStream StartTls(SslClientAuthenticationOptions options, TimeSpan? handshakeTimeout = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Upgrade(new TlsParameters(options, VerifyTimeout(handshakeTimeout)));
    }

    /// <summary>
    /// <see cref="StartTls(SslServerAuthenticationOptions, TimeSpan?)"/> and <see cref="WaitForHandshakeAsync"/> in one, within
    /// <see cref="DefaultHandshakeTimeout"/>.
    /// </summary>
    /// <param name="options">As of <see cref="StartTls(SslServerAuthenticationOptions, TimeSpan?)"/>.</param>
    /// <param name="cancellationToken">
    /// Gives up and resets the connection, because nobody could go on with it. If it has fired before the call, nothing is changed.
    /// </param>
    /// <returns>The stream to use instead of this one, on the same loop.</returns>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The two sides did not come to terms.</exception>
    /// <exception cref="IOException">The connection ended first.</exception>
    /// <exception cref="TimeoutException">The handshake took too long.</exception>
    public ValueTask<LoopStream> StartTlsAsync(SslServerAuthenticationOptions options, CancellationToken cancellationToken = default)
        => cancellationToken.IsCancellationRequested
            ? ValueTask.FromCanceled<LoopStream>(cancellationToken)
            : WaitOrAbortAsync(StartTls(options), cancellationToken);

    /// <summary>
    /// <see cref="StartTls(SslClientAuthenticationOptions, TimeSpan?)"/> and <see cref="WaitForHandshakeAsync"/> in one, within
    /// <see cref="DefaultHandshakeTimeout"/>.
    /// </summary>
    /// <param name="options">As of <see cref="StartTls(SslClientAuthenticationOptions, TimeSpan?)"/>.</param>
    /// <param name="cancellationToken">
    /// Gives up and resets the connection, because nobody could go on with it. If it has fired before the call, nothing is changed.
    /// </param>
    /// <returns>The stream to use instead of this one, on the same loop.</returns>
    /// <exception cref="System.Security.Authentication.AuthenticationException">
    /// The two sides did not come to terms, or the server's certificate is not trusted or is for another name.
    /// </exception>
    /// <exception cref="IOException">The connection ended first.</exception>
    /// <exception cref="TimeoutException">The handshake took too long.</exception>
    public ValueTask<LoopStream> StartTlsAsync(SslClientAuthenticationOptions options, CancellationToken cancellationToken = default)
        => cancellationToken.IsCancellationRequested
            ? ValueTask.FromCanceled<LoopStream>(cancellationToken)
            : WaitOrAbortAsync(StartTls(options), cancellationToken);

    /// <summary>Waits until the handshake that <c>StartTls</c> began is done; completes at once when it is. Loop thread.</summary>
    /// <param name="cancellationToken">Gives up waiting. The handshake goes on, and can be waited for again.</param>
    /// <returns>This stream.</returns>
    /// <exception cref="InvalidOperationException">
    /// The handshake is being waited for already, or the stream has no TLS, or the caller is not on the loop's thread.
    /// </exception>
    /// <exception cref="System.Security.Authentication.AuthenticationException">
    /// The two sides did not come to terms, or the peer's certificate was refused. The stream is closed.
    /// </exception>
    /// <exception cref="IOException">
    /// The connection ended first; a <see cref="StreamClosedException"/> if this side has closed it.
    /// </exception>
    /// <exception cref="TimeoutException">The handshake took too long. The stream is closed.</exception>
    public ValueTask<LoopStream> WaitForHandshakeAsync(CancellationToken cancellationToken = default)
    {
        VerifyAccess();
        if (_tls is null)
        {
            throw new InvalidOperationException("The stream has no handshake to wait for: only one that StartTls returned has.");
        }

        if (_pendingHandshake is not null)
        {
            throw new InvalidOperationException("The handshake is being waited for already.");
        }

        if (Tls is not null)
        {
            return new ValueTask<LoopStream>(this);
        }

        if (_socketClosed)
        {
            return ValueTask.FromException<LoopStream>(_handshakeFailure ?? ClosedException());
        }

        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<LoopStream>(cancellationToken);
        }

        StreamOperation operation = _pendingHandshake = Acquire(ref _handshakeOperation, cancellationToken);
        return GiveAsync(new ValueTask(operation, operation.Version));

        async ValueTask<LoopStream> GiveAsync(ValueTask done)
        {
            await done;
            return this;
        }
    }

    /// <summary>The limit of a handshake, or the default for null.</summary>
    internal static TimeSpan VerifyTimeout(TimeSpan? handshakeTimeout)
    {
        TimeSpan timeout = handshakeTimeout ?? DefaultHandshakeTimeout;
        if (timeout != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero, nameof(handshakeTimeout));
        }

        return timeout;
    }

    private static async ValueTask<LoopStream> WaitOrAbortAsync(LoopStream upgraded, CancellationToken cancellationToken)
    {
        try
        {
            return await upgraded.WaitForHandshakeAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            upgraded.Abort(); // the caller never had it, and goes on without it
            throw;
        }
    }

    private LoopStream Upgrade(TlsParameters parameters)
    {
        VerifyAccess();
        VerifyDirection(FileAccess.Read);
        VerifyDirection(FileAccess.Write);
        if (IsClosed)
        {
            throw ClosedException();
        }

        VerifyIdle();
        byte? ahead = _lookedAhead ? _buffer.Span[0] : null;
        _buffer.Release();
        var upgraded = new LoopStream(this, parameters, ahead);
        HandClosedTo(upgraded);
        upgraded._socket.Start(upgraded._sink);
        return upgraded;
    }

    private void VerifyNotUpgraded()
    {
        if (_successor is not null)
        {
            throw new InvalidOperationException("The stream was upgraded to TLS: use the one that StartTls returned.");
        }
    }

    // The one byte that was received to notice the end is the stream's own affair: nobody has seen it, and it is part of the handshake.
    private void VerifyIdle()
    {
        if (IsConnecting)
        {
            throw new InvalidOperationException("The stream is not connected yet: await Connected before the upgrade to TLS.");
        }

        if (_pendingRead is not null || _firstWrite is not null)
        {
            throw new InvalidOperationException("A read or write is pending: let it end before the upgrade to TLS.");
        }

        if (_finishing)
        {
            throw new InvalidOperationException("FinishWriting was called: there is no way left to send a handshake.");
        }

        if (_buffer.Length > 0 && !_lookedAhead)
        {
            throw new InvalidOperationException(
                $"{_buffer.Length} bytes were received in the clear and not read: they must not pass for encrypted ones (CVE-2011-0411).");
        }
    }

    // Whoever asks for Closed on another thread publishes his source and then looks for a successor; this is the other way round.
    private void HandClosedTo(LoopStream upgraded)
    {
        _successor = upgraded;
        Interlocked.MemoryBarrier();
        upgraded._closedSource = _closedSource;
        upgraded._closeCallbacks = _closeCallbacks;
        _closeCallbacks = null;
    }

    private void OnHandshakeEnded(Exception? failure)
    {
        if (failure is not null)
        {
            _handshakeFailure = failure;
            CloseNow(failure);
            return;
        }

        Tls = new TlsInfo(_tls!.Session);
        CompleteHandshake(failure: null);
    }

    // A failure is told when the stream is closed, in the place that a connect has there (L-STR-38): behind the writes.
    private void SettleHandshake()
    {
        if (_pendingHandshake?.Token is { IsCancellationRequested: true } token)
        {
            CompleteHandshake(new OperationCanceledException(token));
        }
        else if (_socketClosed)
        {
            CompleteHandshake(_handshakeFailure ?? ClosedException());
        }
    }

    private void CompleteHandshake(Exception? failure)
    {
        if (_pendingHandshake is { } operation)
        {
            _pendingHandshake = null;
            if (failure is null)
            {
                operation.Succeed();
            }
            else
            {
                operation.Fail(failure);
            }
        }
    }
}
