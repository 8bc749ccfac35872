using LoopBridge.Loops;

namespace LoopBridge.Sockets;

/// <remarks>
/// Told upwards only when the socket below is closed and neither a read nor a write is inside the SslStream any more: it must not be
/// disposed of under them.
/// </remarks>
internal sealed partial class TlsChannel
{
    private bool _shutdownWaits;
    private bool _orderly;
    private bool _closed;
    private bool _wireClosed;
    private bool _ended;

    /// <summary>Says that nothing more comes (close_notify). The FIN below follows with <see cref="Close"/>.</summary>
    public void ShutdownSend()
    {
        _shutdownWaits = _handshaking;
        if (!IsEstablished || Failure is not null)
        {
            return;
        }

        _orderly = true;
        try
        {
            Task said = _tls.ShutdownAsync();
            if (said.IsFaulted)
            {
                Fail(said.Exception.InnerException!);
            }
        }
        catch (Exception e)
        {
            Fail(e); // the connection broke: nobody is left to be told
        }
    }

    /// <summary>
    /// After <see cref="ShutdownSend"/> the peer gets all that was written, however long it takes; <see cref="Abort"/> ends that. Otherwise
    /// it gets what the kernel takes at once, which is enough for an alert.
    /// </summary>
    public void Close(bool reset)
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        if (_wireClosed)
        {
            CloseWhenIdle();
        }
        else if (reset || _handshaking)
        {
            _below.Close(reason: null, reset);
        }
        else
        {
            _below.FinishSending();
            if (!_orderly)
            {
                _below.Loop.Post(new CloseBelowWork(_below));
            }
        }
    }

    /// <summary>Resets the connection below, also when <see cref="Close"/> is waiting for its last bytes to go. Any thread.</summary>
    internal void Abort() => _below.RequestAbort(reason: null, reset: true);

    /// <summary>The socket below is closed. What waited for it has been told.</summary>
    internal void OnWireClosed()
    {
        _wireClosed = true;
        if (_awaitsSent)
        {
            _awaitsSent = false;
            _writing = false; // its fate is the connection's, which is told below
        }

        if (_closed)
        {
            CloseWhenIdle();
        }
        else if (!_handshaking)
        {
            Fail(_below.CloseReason ?? new IOException("The connection below TLS was closed."));
            _owner!.OnFailed(Failure!);
        }
    }

    private void CloseWhenIdle()
    {
        if (!_wireClosed || _reading || _writing || _ended)
        {
            return;
        }

        _ended = true;
        ReturnPlain();
        if (!_handshaking)
        {
            _tls.Dispose(); // else it is in use on the pool, and ends with the handshake
        }

        _owner!.OnClosed();
    }

    private sealed class CloseBelowWork(StreamSocket below) : ILoopWork
    {
        public void Run() => below.Close(reason: null, reset: false);
    }
}
