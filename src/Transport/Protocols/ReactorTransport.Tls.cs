using System.Net.Security;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using LoopBridge.Streams;

namespace LoopBridge.Protocols;

/// <remarks>
/// An upgrade puts a <see cref="TlsChannel"/> over the socket and a second socket over that, which takes the first one's place here. What
/// was written before is in the queue of the first, ahead of the handshake, and leaves in the clear.
/// </remarks>
internal sealed partial class ReactorTransport : ITlsObserver
{
    private TlsChannel? _tls;

    public bool IsTls => _tls is not null;

    public void StartTls(SslServerAuthenticationOptions options, TimeSpan? handshakeTimeout = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        Upgrade(new TlsParameters(options, LoopStream.VerifyTimeout(handshakeTimeout)));
    }

    public void StartTls(SslClientAuthenticationOptions options, TimeSpan? handshakeTimeout = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        Upgrade(new TlsParameters(options, LoopStream.VerifyTimeout(handshakeTimeout)));
    }

    /// <summary>A failure is the reason of the loss (R-TLS-17); the alert that says so leaves first.</summary>
    void ITlsObserver.OnHandshakeEnded(Exception? failure)
    {
        if (failure is not null)
        {
            _reason ??= failure;
            _disconnecting = true;
            _dropsWrites = true;
            _socket.Close(failure, reset: false);
        }
    }

    private void Upgrade(TlsParameters parameters)
    {
        ThrowIfOffLoop();
        if (_socket.IsClosing)
        {
            return; // lost, which the protocol has heard or is about to hear
        }

        ThrowIfNotUpgradable();
        StreamSocket below = _socket;
        var tls = new TlsChannel(below, parameters, this);
        var above = new StreamSocket(below.Loop, tls, new StreamSocketOptions { SendHighWater = below.SendHighWater });
        _tls = tls;
        _socket = above;
        above.Start(this);

        // What waits to be sent below is the channel's affair from here on: nobody will tell of it.
        _sendFull = false;
        if (_producer is not null)
        {
            Loop.Post(new FeedWork(this));
        }
    }

    private void ThrowIfNotUpgradable()
    {
        if (_tls is not null)
        {
            throw new InvalidOperationException("The connection has TLS already.");
        }

        if (_disconnecting || _writeEnding || _readEnded)
        {
            throw new InvalidOperationException("The connection is ending: there is no way left for a handshake.");
        }

        if (!_held.IsEmpty)
        {
            throw new InvalidOperationException(
                $"{_held.Length} bytes were received in the clear and not delivered: they must not pass for encrypted ones (CVE-2011-0411).");
        }
    }

    private sealed class FeedWork(ReactorTransport transport) : ILoopWork
    {
        public void Run() => ((ISocketSink)transport).OnSent();
    }
}
