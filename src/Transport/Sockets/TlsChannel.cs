using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Sockets;

/// <summary>
/// TLS in the place of a socket: what the engine drives when a stream was upgraded. Bytes go through an <see cref="SslStream"/>, whose
/// encrypted side (<see cref="TlsWire"/>) is the sink of the socket below.
/// </summary>
/// <remarks>
/// Everything happens on the loop's thread, and within the dispatch of the socket below that brought it about; only the handshake may
/// use the pool. Nothing is received below unless it is asked for here, so that the peer feels backpressure. What the SslStream has
/// decrypted is taken before anything is waited for (L-STR-49), because no poll tells of it.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "Disposed of by CloseWhenIdle or the end of the handshake, whichever is last.")]
internal sealed partial class TlsChannel : IStreamChannel, IOnBehalf
{
    // RFC 8446, 5.1: the most that one record carries.
    private const int LargestRecord = 16 * 1024;

    private readonly StreamSocket _below;
    private readonly TlsWire _wire;
    private readonly SslStream _tls;
    private IStreamChannelOwner? _owner;

    /// <param name="below">A started socket, which belongs to the channel from <see cref="Start"/> on.</param>
    /// <param name="parameters">How to go about the handshake.</param>
    /// <param name="observer">Told how it ended.</param>
    /// <param name="ahead">A byte that was received from below already.</param>
    internal TlsChannel(StreamSocket below, TlsParameters parameters, ITlsObserver observer, byte? ahead = null)
    {
        _below = below;
        _parameters = parameters;
        _observer = observer;
        _wire = new TlsWire(below, this, ahead);
        _tls = new SslStream(_wire, leaveInnerStreamOpen: true);
        _readWork = new ReadWork(this);
        _writeWork = new WriteWork(this);
        _readCompleted = () => Continue(_readWork);
        _writeCompleted = () => Continue(_writeWork);
    }

    object? IOnBehalf.Behalf => _owner;

    public EndPoint? LocalEndPoint => _below.LocalEndPoint;

    public EndPoint? RemoteEndPoint => _below.RemoteEndPoint;

    /// <summary>The one below: for what may be set on it, not for its bytes.</summary>
    public RawSocket? Socket => _below.RawSocket;

    public bool CanSendFromAnyThread => false;

    public Exception? Failure { get; private set; }

    // The error that stands for Failure where only a SocketError fits.
    private static IoResult Failed => IoResult.Failed(SocketError.ConnectionAborted);

    public IoResult Connect(EndPoint endPoint) => IoResult.Failed(SocketError.IsConnected);

    public void Start(IStreamChannelOwner owner)
    {
        _owner = owner;
        _below.ChangeSink(_wire);
        BeginHandshake();
    }

    // The reason of the socket below says more than what the SslStream makes of it.
    private void Fail(Exception failure) => Failure ??= _below.CloseReason ?? failure;

    // Any thread, though it is the loop's but for a loop that somebody else closes.
    private void Continue(ILoopWork work)
    {
        if (_below.Loop.IsOnLoopThread || !_below.Loop.Post(work))
        {
            work.Run();
        }
    }
}
