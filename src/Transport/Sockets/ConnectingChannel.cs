using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Sockets;

/// <summary>
/// Stands for a connection that is still to be made, perhaps after several attempts, so that the engine and its sink are there at once:
/// what is written meanwhile waits as for a slow peer. After the attempt that succeeds it only passes everything on.
/// </summary>
internal sealed class ConnectingChannel(IEventLoop loop) : IStreamChannel
{
    private IStreamChannelOwner? _owner;
    private IStreamChannel? _connected;
    private Attempt? _attempt;
    private bool _receivable;
    private bool _sendWaits;
    private bool _finishWaits;
    private bool _closed;

    public EndPoint? LocalEndPoint => _connected?.LocalEndPoint;

    public EndPoint? RemoteEndPoint => _connected?.RemoteEndPoint;

    public RawSocket? Socket => _connected?.Socket;

    public bool CanSendFromAnyThread => _connected is { CanSendFromAnyThread: true };

    public Exception? Failure => _connected?.Failure;

    public void Start(IStreamChannelOwner owner) => _owner = owner;

    public IoResult Connect(EndPoint endPoint)
        => throw new InvalidOperationException("A connecting channel connects by TryAsync, once it is started.");

    /// <summary>
    /// Makes one attempt; one at a time, after <see cref="Start"/>. Nothing that waits is sent before <see cref="Begin"/>. Loop thread.
    /// </summary>
    /// <exception cref="SocketException">There is no socket to be had: out of descriptors, or a family this machine lacks.</exception>
    /// <exception cref="IOException">The kernel is out of watches or memory.</exception>
    internal Task<SocketError> TryAsync(EndPoint endPoint, bool noDelay)
    {
        if (_closed)
        {
            return Task.FromResult(SocketError.OperationAborted);
        }

        ISocketDriver driver = HandlerSocketDriver.For(loop);
        RawSocket raw = driver.CreateSocket(endPoint.AddressFamily);
        if (noDelay && raw.IsTcp)
        {
            raw.SetNoDelay(true);
        }

        _attempt = new Attempt(this, driver.OpenStream(raw));
        return _attempt.RunAsync(endPoint);
    }

    /// <summary>
    /// Knows its addresses from here on. After an attempt that succeeded, before anybody is told of it, who may ask on another thread; loop
    /// thread.
    /// </summary>
    internal void Adopt() => _connected = _attempt!.Channel;

    /// <summary>Begins to pass on what has waited. After <see cref="Adopt"/>; loop thread.</summary>
    internal void Begin()
    {
        if (_closed)
        {
            return;
        }

        if (_finishWaits)
        {
            _connected!.ShutdownSend(); // nothing was written: else the engine would still be waiting to send it
        }

        if (_sendWaits)
        {
            _sendWaits = false;
            _owner!.OnSendProgress(IoResult.Of(0));
        }

        if (_receivable && !_closed)
        {
            _owner!.OnReceivable();
        }
    }

    public IoResult Receive(Span<byte> buffer) => _connected?.Receive(buffer) ?? IoResult.Pending;

    public IoResult Send(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
    {
        if (_connected is not null)
        {
            return _connected.Send(buffers);
        }

        _sendWaits = true;
        return IoResult.Pending;
    }

    public IoResult TrySend(ReadOnlySpan<ReadOnlyMemory<byte>> buffers) => _connected?.TrySend(buffers) ?? IoResult.Pending;

    public void ShutdownSend()
    {
        _finishWaits = _connected is null;
        _connected?.ShutdownSend();
    }

    public void Close(bool reset)
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        if (_attempt is { HasFailed: false } attempt)
        {
            attempt.Channel.Close(reset); // tells the owner when it has
            attempt.End(SocketError.OperationAborted);
        }
        else
        {
            _owner?.OnClosed();
        }
    }

    /// <summary>The owner that the driver sees: of one attempt, and if that succeeds of the connection.</summary>
    private sealed class Attempt(ConnectingChannel outer, IStreamChannel channel) : IStreamChannelOwner
    {
        private readonly TaskCompletionSource<SocketError> _outcome = new();

        internal IStreamChannel Channel => channel;

        internal bool HasFailed { get; private set; }

        internal Task<SocketError> RunAsync(EndPoint endPoint)
        {
            IoResult result;
            try
            {
                result = channel.Connect(endPoint);
                if (!result.IsError)
                {
                    channel.Start(this);
                }
            }
            catch
            {
                Fail(); // the failure goes on to the caller; the socket must not
                throw;
            }

            if (!result.IsPending)
            {
                OnConnected(result.Error);
            }

            return _outcome.Task;
        }

        public void OnConnected(SocketError error)
        {
            if (error != SocketError.Success)
            {
                Fail();
            }

            End(error);
        }

        internal void End(SocketError error) => _outcome.TrySetResult(error);

        public void OnReceivable()
        {
            if (outer._connected is null)
            {
                outer._receivable = true; // bytes that came with the handshake's last packet
            }
            else
            {
                outer._owner!.OnReceivable();
            }
        }

        public void OnSendProgress(IoResult done) => outer._owner!.OnSendProgress(done);

        public void OnFailed(Exception reason) => outer._owner!.OnFailed(reason);

        public void OnClosed()
        {
            if (!HasFailed)
            {
                outer._owner!.OnClosed();
            }
        }

        private void Fail()
        {
            HasFailed = true;
            channel.Close(reset: false);
        }
    }
}
