using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Streams;

namespace LoopBridge.Manual;

/// <summary>
/// One direction of a connection in memory. Bytes are under way first; a delivery in a later turn makes them receivable, all or a piece of
/// them. Belongs to the loop's thread.
/// </summary>
internal sealed class MemoryPipe(IEventLoop loop, int capacity, int[] pieces) : ILoopWork
{
    private ReadBuffer _bytes;
    private int _delivered;
    private int _nextPiece;
    private bool _deliveryQueued;
    private bool _receiverWaits = true;
    private bool _senderWaits;
    private bool _finished;
    private bool _endDelivered;
    private bool _reset;
    private bool _resetDelivered;
    private SocketError? _refusal;

    /// <summary>Who is told that something has arrived. Null before the start and after the close of that end.</summary>
    internal IStreamChannelOwner? Receiver { get; set; }

    /// <summary>Who is told that there is room again. Null before the start and after the close of that end.</summary>
    internal IStreamChannelOwner? Sender { get; set; }

    internal IoResult Send(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
    {
        if (_refusal is { } error)
        {
            return IoResult.Failed(error);
        }

        int room = capacity - _bytes.Length;
        int sent = 0;
        foreach (ReadOnlyMemory<byte> buffer in buffers)
        {
            int count = Math.Min(buffer.Length, room - sent);
            _bytes.Append(buffer.Span[..count]);
            sent += count;
        }

        if (sent == 0)
        {
            _senderWaits = true;
            return IoResult.Pending;
        }

        QueueDelivery();
        return IoResult.Of(sent);
    }

    internal IoResult Receive(Span<byte> buffer)
    {
        if (_delivered > 0)
        {
            int count = _bytes.MoveTo(buffer[..Math.Min(buffer.Length, _delivered)]);
            _delivered -= count;
            if (_senderWaits || (_delivered == 0 && !IsAllDelivered))
            {
                QueueDelivery();
            }

            return IoResult.Of(count);
        }

        if (_resetDelivered)
        {
            return IoResult.Failed(SocketError.ConnectionReset);
        }

        _receiverWaits = !_endDelivered;
        return _endDelivered ? IoResult.Of(0) : IoResult.Pending;
    }

    /// <summary>The sender has sent all.</summary>
    internal void Finish()
    {
        if (!_finished)
        {
            _finished = true;
            QueueDelivery();
        }
    }

    /// <summary>The sender's end is gone, and what has not arrived with it.</summary>
    internal void Reset()
    {
        _reset = true;
        QueueDelivery();
    }

    /// <summary>The receiver's end is gone: nobody takes these bytes, and who sends more is told so.</summary>
    internal void Abandon(bool reset)
    {
        _refusal = reset ? SocketError.ConnectionReset : SocketError.Shutdown;
        _bytes.Release();
        _delivered = 0;
        QueueDelivery();
    }

    private bool IsAllDelivered => _delivered == _bytes.Length && _endDelivered == _finished;

    /// <summary>A delivery.</summary>
    public void Run()
    {
        _deliveryQueued = false;
        if (!_resetDelivered)
        {
            Deliver();
        }

        if (_receiverWaits && (_delivered > 0 || _endDelivered || _resetDelivered) && Receiver is { } receiver)
        {
            _receiverWaits = false;
            receiver.OnReceivable();
        }

        if (_senderWaits && (_bytes.Length < capacity || _refusal is not null) && Sender is { } sender)
        {
            _senderWaits = false;
            sender.OnSendProgress(IoResult.Of(0));
        }
    }

    private void Deliver()
    {
        if (_reset)
        {
            _resetDelivered = true;
            return;
        }

        int underWay = _bytes.Length - _delivered;
        if (pieces.Length == 0)
        {
            _delivered += underWay;
        }
        else if (_delivered == 0 && underWay > 0)
        {
            _delivered = Math.Min(underWay, pieces[_nextPiece]);
            _nextPiece = (_nextPiece + 1) % pieces.Length;
        }

        _endDelivered = _finished && _delivered == _bytes.Length;
    }

    // The loop of a test finds it in its poll, where I/O belongs; on any other loop it is a callback of the engine.
    private void QueueDelivery()
    {
        if (_deliveryQueued)
        {
            return;
        }

        _deliveryQueued = true;
        if (loop is ManualLoop manual)
        {
            manual.Arrive(this);
        }
        else
        {
            loop.Post(this);
        }
    }
}
