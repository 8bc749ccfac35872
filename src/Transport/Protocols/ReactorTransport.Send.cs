using System.Buffers;
using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Sockets;

namespace LoopBridge.Protocols;

/// <remarks>Sending: into the engine's queue, which leaves at the end of the turn.</remarks>
internal sealed partial class ReactorTransport
{
    public void Write(ReadOnlySpan<byte> data)
    {
        if (!data.IsEmpty && MayWrite())
        {
            _socket.Write(data);
            Flush();
        }
    }

    public void WriteSequence(IEnumerable<ReadOnlyMemory<byte>> data)
    {
        ArgumentNullException.ThrowIfNull(data);

        // Enumerated once and to the end before anything is buffered (R-WSEQ-02); what is in memory already needs no copy of the list.
        ReadOnlySpan<ReadOnlyMemory<byte>> pieces = data switch
        {
            ReadOnlyMemory<byte>[] array => array,
            List<ReadOnlyMemory<byte>> list => CollectionsMarshal.AsSpan(list),
            _ => data.ToArray(),
        };
        if (MayWrite())
        {
            foreach (ReadOnlyMemory<byte> piece in pieces)
            {
                _socket.Write(piece.Span);
            }

            Flush();
        }
    }

    public void WriteSequence(in ReadOnlySequence<byte> data)
    {
        if (!data.IsEmpty && MayWrite())
        {
            foreach (ReadOnlyMemory<byte> piece in data)
            {
                _socket.Write(piece.Span);
            }

            Flush();
        }
    }

    // Everything is sent and FIN is on its way.
    void ISocketSink.OnSendFinished()
    {
        _dropsWrites = true;
        _writeEnded = true;
        if (_disconnecting)
        {
            CloseDone();
        }
        else
        {
            TellWriteEnded();
        }
    }

    private bool MayWrite()
    {
        if (_dropsWrites)
        {
            return false;
        }

        ThrowIfOffLoop();
        long unsent = _socket.Unsent;
        if (_options.MaxUnsentBytes is not { } limit || unsent <= limit)
        {
            return true;
        }

        _options.Logger?.UnsentLimitExceeded(ConnectionId, unsent, limit);
        Abort(new ConnectionAbortedLocallyException(
            $"The connection was aborted on this side: {unsent} bytes waited for a peer that did not keep up, and the limit is {limit}."));
        return false;
    }

    // Only ever set here: a flush that is content says nothing about the drain that an earlier one still waits for.
    private void Flush()
    {
        if (!_socket.Flush())
        {
            _sendFull = true;
        }

        if (_producer is not null)
        {
            WatchProducer();
        }
    }

    // A socket closed with bytes unread sends RST (RFC 2525, 2.17), which may cost the peer our last words. What has arrived by now, within
    // reason, is taken and dropped.
    private void DiscardReceived()
    {
        Span<byte> scrap = stackalloc byte[4096];
        for (int i = 0; i < MaxReads * ReadSize / scrap.Length; i++)
        {
            IoResult result = _socket.Receive(scrap);
            if (!result.IsOk || result.Count == 0)
            {
                return;
            }
        }
    }
}
