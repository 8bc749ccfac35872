using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Sockets;

/// <remarks>
/// <para>A close over a peer that is still sending. TCP answers whatever comes after a close with RST (RFC 1122, 4.2.2.13), and a
/// connection that was reset sends nothing more: of the last answer the peer gets what it had received by then. Typically a client uploads
/// a file, the server refuses it and closes, and the client, which reads only when it has sent all, never learns why.</para>
/// <para>So after our FIN the descriptor stays open for a while, and what comes is dropped. Only where there is reason to think that more
/// will come: something had arrived that nobody has read, and no FIN (nginx decides likewise, <c>lingering_close on</c>). Nobody waits for
/// it: for the sink and the observer the socket is closed. A stranger decides how long it takes, so time, bytes and number are
/// limited.</para>
/// </remarks>
internal sealed partial class StreamSocket
{
    /// <summary>Sockets of the process that may linger at one time: each holds a descriptor that a new connection may need.</summary>
    internal const int MaxLingering = 1024;

    /// <summary>What one of them may still be sent: in the time below, 100 Mbit/s.</summary>
    internal const long MaxDiscarded = 64 * 1024 * 1024;

    // In one go, before the others of the loop have their turn; as what a connection may receive.
    private const int DiscardShare = 256 * 1024;

    private static int _lingering;

    private Linger? _linger;
    private bool _closesGently;
    private bool _peerIsSending;

    /// <summary>As long as Kestrel gives a client to send the rest of a request body that nobody reads.</summary>
    internal static TimeSpan LingerLimit => TimeSpan.FromSeconds(5);

    /// <summary>All of the process. Any thread.</summary>
    internal static int Lingering => Volatile.Read(ref _lingering);

    /// <summary>
    /// As <see cref="Close"/> without reset, after <see cref="FinishSending"/>: the last bytes reach a peer that is still sending. Loop
    /// thread.
    /// </summary>
    /// <param name="reason">Why.</param>
    /// <param name="peerIsSending">
    /// Something was received that nobody has read. Where false, that is looked for in what has arrived since.
    /// </param>
    internal void CloseGently(Exception? reason, bool peerIsSending)
    {
        _closesGently = true;
        _peerIsSending = peerIsSending;
        Close(reason, reset: false);
    }

    // Loop thread, in place of the channel's close.
    private bool TryLinger()
    {
        // A UNIX socket has handed everything to its peer by now.
        if (!_closesGently || _reset || _endOfStream || _channel.Socket is not { IsTcp: true })
        {
            return false;
        }

        IoResult result = _channel.Discard(DiscardShare);
        bool mayComeMore = result.IsPending ? _peerIsSending : result.IsOk && result.Count > 0;
        if (!mayComeMore)
        {
            return false;
        }

        if (Interlocked.Increment(ref _lingering) > MaxLingering)
        {
            Interlocked.Decrement(ref _lingering);
            return false;
        }

        _linger = new Linger(this);
        _linger.Discarded(result);
        return true;
    }

    /// <summary>What a socket needs that lingers: few do. Loop thread.</summary>
    private sealed class Linger : ILoopWork
    {
        private readonly StreamSocket _socket;
        private readonly LoopTimeout _timeout;
        private long _discarded;
        private bool _isOver;

        internal Linger(StreamSocket socket)
        {
            _socket = socket;
            _timeout = socket.Loop.CallLater(LingerLimit, static linger => ((Linger)linger!).End(), this);
        }

        public void Run()
        {
            if (!_isOver)
            {
                Discarded(_socket._channel.Discard(DiscardShare));
            }
        }

        internal void Discarded(IoResult result)
        {
            if (result.IsPending)
            {
                return;
            }

            _discarded += result.IsOk ? result.Count : 0;
            if (result.IsError || result.Count == 0 || _discarded >= MaxDiscarded)
            {
                End();
            }
            else if (result.Count >= DiscardShare)
            {
                _socket.Loop.Post(this);
            }
        }

        internal void End()
        {
            if (_isOver)
            {
                return;
            }

            _isOver = true;
            Interlocked.Decrement(ref _lingering);
            _socket.Loop.RemoveTimeout(_timeout);
            _socket.Loop.Disown(_socket);
            _socket._channel.Close(reset: false);
        }
    }
}
