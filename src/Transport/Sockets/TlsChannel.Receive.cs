using System.Buffers;
using System.Runtime.CompilerServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;

#pragma warning disable CA2012 // the awaiter is consumed once, by TakeRead

namespace LoopBridge.Sockets;

/// <remarks>
/// A read of no bytes waits, and the one that follows takes what is there: no buffer is held by a connection that has nothing to tell.
/// </remarks>
internal sealed partial class TlsChannel
{
    private readonly ReadWork _readWork;
    private readonly Action _readCompleted;
    private ConfiguredValueTaskAwaitable<int>.ConfiguredValueTaskAwaiter _read;
    private byte[]? _plain;
    private int _plainStart;
    private int _plainEnd;
    private bool _filling;
    private bool _reading;
    private bool _endOfStream;

    private bool HasNews => _plainEnd > _plainStart || _endOfStream || Failure is not null;

    public IoResult Receive(Span<byte> buffer)
    {
        if (!HasNews && IsEstablished && !_reading && !_closed)
        {
            BeginRead();
        }

        int count = Math.Min(_plainEnd - _plainStart, buffer.Length);
        if (count == 0)
        {
            return Failure is not null ? Failed : _endOfStream ? IoResult.Of(0) : IoResult.Pending;
        }

        _plain.AsSpan(_plainStart, count).CopyTo(buffer);
        _plainStart += count;
        if (_plainStart == _plainEnd)
        {
            ReturnPlain();
        }

        return IoResult.Of(count);
    }

    // Bytes at once, or the end, or a failure; else it waits, and holds no buffer while it does.
    private void BeginRead()
    {
        _reading = true; // also while the call lasts: the socket below may close within it
        _filling = false;
        try
        {
            _read = _tls.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false).GetAwaiter();
            TakeRead();
        }
        catch (Exception e)
        {
            EndRead(e); // the connection broke, or the peer does not keep to the protocol
        }
    }

    // The read of no bytes tells that there is something, the one that follows takes it.
    private void TakeRead()
    {
        while (_read.IsCompleted)
        {
            int count = _read.GetResult();
            if (_filling)
            {
                _plainStart = 0;
                _plainEnd = count;
                EndRead(failure: null);
                return;
            }

            _filling = true;
            _plain = ArrayPool<byte>.Shared.Rent(LargestRecord);
            _read = _tls.ReadAsync(_plain).ConfigureAwait(false).GetAwaiter();
        }

        _read.UnsafeOnCompleted(_readCompleted);
    }

    private void EndRead(Exception? failure)
    {
        _reading = false;
        if (failure is not null)
        {
            _plainEnd = _plainStart;
            Fail(failure);
        }
        else if (_plainEnd == 0 && _wire.IsEndReached)
        {
            // RFC 8446, 6.1: without that announcement anybody on the way may have cut the stream short.
            Fail(new IOException("The peer ended the connection without a TLS close_notify: what it sent may have been cut short."));
        }
        else if (_plainEnd == 0)
        {
            _endOfStream = true;
        }

        if (_plainEnd == 0)
        {
            ReturnPlain();
        }

        if (_closed)
        {
            CloseWhenIdle();
        }
    }

    private void FinishRead()
    {
        try
        {
            TakeRead();
        }
        catch (Exception e)
        {
            EndRead(e); // the connection broke, or the peer does not keep to the protocol
        }

        if (!_closed && HasNews)
        {
            _owner!.OnReceivable();
        }
    }

    private void ReturnPlain()
    {
        _plainStart = 0;
        _plainEnd = 0;
        if (_plain is not null)
        {
            ArrayPool<byte>.Shared.Return(_plain);
            _plain = null;
        }
    }

    private sealed class ReadWork(TlsChannel channel) : ILoopWork
    {
        public void Run() => channel.FinishRead();
    }
}
