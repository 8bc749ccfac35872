using System.Buffers;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Sockets;

namespace LoopBridge.Protocols;

/// <remarks>
/// Receiving. Connections of one loop share one buffer, because a protocol sees the bytes during its call only: an idle connection holds
/// none.
/// </remarks>
internal sealed partial class ReactorTransport
{
    // R-CONN-27: what one read, and one DataReceived, is at most.
    private const int ReadSize = 64 * 1024;

    // After that many reads the other connections of the loop have their turn.
    private const int MaxReads = 4;

    [ThreadStatic]
    private static byte[]? _threadBuffer;

    private ProceedWork? _proceed;
    private ReadOnlyMemory<byte> _held;
    private bool _paused;
    private bool _sendFull;
    private bool _tellResumed;
    private bool _proceedPosted;

    public bool IsPaused => _paused || _sendFull;

    private bool IsReceiving => _begun && !_disconnecting && !_paused && !_sendFull && !_readEnded;

    public void PauseProducing()
    {
        if (!_disconnecting)
        {
            ThrowIfOffLoop();
            _paused = true;
        }
    }

    public void ResumeProducing()
    {
        if (_paused && !_disconnecting)
        {
            ThrowIfOffLoop();
            _paused = false;
            _setAside = false;
            Resume();
        }
    }

    void ISocketSink.OnReceivable() => Proceed();

    void ISocketSink.OnSendDrained()
    {
        if (_sendFull)
        {
            _sendFull = false;
            Resume();
        }
    }

    // In a later turn, also because the caller may stand in the middle of a delivery.
    private void Resume()
    {
        _tellResumed = true;
        PostProceed();
    }

    private void PostProceed()
    {
        if (!_proceedPosted)
        {
            _proceedPosted = true;
            Loop.Post(_proceed ??= new ProceedWork(this));
        }
    }

    // What the protocol holds back comes before what we hold back, and that before what the socket has.
    private void Proceed()
    {
        if (_tellResumed && IsReceiving)
        {
            _tellResumed = false;
            TellResumed();
        }

        while (!_held.IsEmpty && IsReceiving)
        {
            ReadOnlyMemory<byte> next = _held[..Math.Min(_held.Length, ReadSize)];
            _held = _held[next.Length..];
            Deliver(next.Span);
        }

        if (IsReceiving)
        {
            Receive();
        }
    }

    private void Receive()
    {
        // Taken, not borrowed: should a callback bring another transport of this thread to receive, it must not overwrite what this one
        // delivers.
        byte[] buffer = _threadBuffer ?? GC.AllocateUninitializedArray<byte>(ReadSize);
        _threadBuffer = null;
        try
        {
            for (int reads = 0; IsReceiving; reads++)
            {
                if (reads == MaxReads)
                {
                    PostProceed();
                    return;
                }

                IoResult result = _socket.Receive(buffer);
                if (!result.IsOk)
                {
                    return; // nothing now, or an error that has closed the socket already
                }

                if (result.Count == 0)
                {
                    OnPeerFinished();
                    return;
                }

                Deliver(buffer.AsSpan(0, result.Count));
            }
        }
        finally
        {
            _threadBuffer = buffer;
        }
    }

    // The peer sends no more. What it asked for is still sent: a client may end its direction first and read then.
    private void OnPeerFinished()
    {
        if (_protocol is IHalfCloseProtocol halfClose)
        {
            TellReadEnded(halfClose);
            return;
        }

        _reason ??= LossReason.From(null);
        if (_socket.Unsent == 0 && _producer is null)
        {
            _disconnecting = true;
            _socket.Close(null, reset: false);
        }
        else
        {
            EndInOrder();
        }
    }

    private void DeliverFirst(in ReadOnlySequence<byte> received)
    {
        ReadOnlySequence<byte> rest = received;
        while (!rest.IsEmpty && IsReceiving)
        {
            ReadOnlySpan<byte> next = rest.FirstSpan;
            next = next[..Math.Min(next.Length, ReadSize)];
            rest = rest.Slice(next.Length);
            if (!next.IsEmpty)
            {
                Deliver(next);
            }
        }

        // Paused at once: what is left has to be kept, for it is the caller's. After a disconnect nobody wants it.
        if (!rest.IsEmpty && !_disconnecting)
        {
            _held = rest.ToArray();
        }
    }

    private void Deliver(ReadOnlySpan<byte> data)
    {
        var call = new ProtocolCall(Loop, _ambient);
        try
        {
            _protocol!.DataReceived(data);
        }
        catch (Exception e)
        {
            Fail(e, nameof(Protocol.DataReceived)); // user code
        }
        finally
        {
            call.Leave();
        }
    }

    private void TellResumed()
    {
        var call = new ProtocolCall(Loop, _ambient);
        try
        {
            _protocol!.ProducingResumed();
        }
        catch (Exception e)
        {
            Fail(e, nameof(Protocol.ProducingResumed)); // user code
        }
        finally
        {
            call.Leave();
        }
    }

    private sealed class ProceedWork(ReactorTransport transport) : ILoopWork, IOnBehalf
    {
        object IOnBehalf.Behalf => transport;

        public void Run()
        {
            transport._proceedPosted = false;
            transport.Proceed();
        }
    }
}
