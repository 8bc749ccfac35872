using System.Buffers;
using System.Runtime.CompilerServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;

#pragma warning disable CA2012 // the awaiter is consumed once, by TakeWrite

namespace LoopBridge.Sockets;

/// <remarks>One record at a time; what follows it stays in the engine until the one before was taken by the socket below.</remarks>
internal sealed partial class TlsChannel
{
    private readonly WriteWork _writeWork;
    private readonly Action _writeCompleted;
    private ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter _write;
    private byte[]? _gathered;
    private int _writeCount;
    private bool _writing;
    private bool _isLast;
    private bool _awaitsSent;

    public IoResult Send(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
    {
        if (Failure is not null)
        {
            return Failed;
        }

        if (!IsEstablished)
        {
            _sendWaits = true;
            return IoResult.Pending;
        }

        _writing = true; // also while the call lasts: the socket below may close within it
        try
        {
            ReadOnlyMemory<byte> record = TakeRecord(buffers);
            _writeCount = record.Length;
            _isLast = IsAll(buffers, record.Length);
            _wire.MoreFollows = !_isLast;
            _write = _tls.WriteAsync(record).ConfigureAwait(false).GetAwaiter();
        }
        catch (Exception e)
        {
            return TakeWriteFailure(e); // the connection broke
        }
        finally
        {
            _wire.MoreFollows = false;
        }

        if (_write.IsCompleted)
        {
            return TakeWrite();
        }

        _write.UnsafeOnCompleted(_writeCompleted);
        return IoResult.Pending;
    }

    public IoResult TrySend(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
        => throw new InvalidOperationException("TLS is written to from the loop only.");

    // One record's worth: many small blocks would make many small records.
    private ReadOnlyMemory<byte> TakeRecord(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
    {
        if (buffers.Length == 1 || buffers[0].Length >= LargestRecord)
        {
            return buffers[0][..Math.Min(buffers[0].Length, LargestRecord)];
        }

        _gathered = ArrayPool<byte>.Shared.Rent(LargestRecord);
        int count = 0;
        foreach (ReadOnlyMemory<byte> buffer in buffers)
        {
            int part = Math.Min(buffer.Length, LargestRecord - count);
            buffer.Span[..part].CopyTo(_gathered.AsSpan(count));
            count += part;
        }

        return _gathered.AsMemory(0, count);
    }

    private static bool IsAll(ReadOnlySpan<ReadOnlyMemory<byte>> buffers, int count)
    {
        foreach (ReadOnlyMemory<byte> buffer in buffers)
        {
            count -= buffer.Length;
        }

        return count == 0;
    }

    private IoResult TakeWrite()
    {
        try
        {
            _write.GetResult();
        }
        catch (Exception e)
        {
            return TakeWriteFailure(e); // the connection broke
        }

        // The end of what is to be sent is done when the kernel has it, so that "all was sent" can be said above (L-STR-30).
        if (_isLast && _below.Unsent > 0 && !_wireClosed && _below.WaitSent(_below.Flushed))
        {
            _awaitsSent = true;
            return IoResult.Pending;
        }

        EndWrite();
        return IoResult.Of(_writeCount);
    }

    private IoResult TakeWriteFailure(Exception failure)
    {
        Fail(failure);
        EndWrite();
        return Failed;
    }

    private void EndWrite()
    {
        _writing = false;
        if (_gathered is not null)
        {
            ArrayPool<byte>.Shared.Return(_gathered);
            _gathered = null;
        }

        if (_closed)
        {
            CloseWhenIdle();
        }
    }

    private void FinishWrite()
    {
        bool wasClosed = _closed;
        IoResult done = TakeWrite();
        if (!wasClosed && !done.IsPending)
        {
            _owner!.OnSendProgress(done);
        }
    }

    /// <summary>The kernel has taken the last bytes.</summary>
    internal void OnWireSent()
    {
        if (_awaitsSent)
        {
            _awaitsSent = false;
            EndWrite();
            if (!_closed)
            {
                _owner!.OnSendProgress(IoResult.Of(_writeCount));
            }
        }
    }

    private sealed class WriteWork(TlsChannel channel) : ILoopWork
    {
        public void Run() => channel.FinishWrite();
    }
}
