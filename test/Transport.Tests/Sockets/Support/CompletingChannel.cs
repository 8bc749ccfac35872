using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>
/// A socket as a driver that completes would move it (README.md of the drivers): receives run ahead into the channel's own buffers, a few
/// at most; a send is under way until a later turn and reads its memory only then; the close ends when the send has said its last word.
/// </summary>
internal sealed class CompletingChannel(IEventLoop loop, IStreamChannel kernel) : IStreamChannel, IStreamChannelOwner
{
    private const int MostHeld = 4;

    private readonly Queue<ArraySegment<byte>> _arrived = new();
    private IStreamChannelOwner? _owner;
    private IoResult? _end;
    private ReadOnlyMemory<byte>[]? _sending;
    private int _done;
    private bool _closed;
    private bool _reset;

    public EndPoint? LocalEndPoint => kernel.LocalEndPoint;

    public EndPoint? RemoteEndPoint => kernel.RemoteEndPoint;

    public RawSocket? Socket => kernel.Socket;

    public bool CanSendFromAnyThread => kernel.CanSendFromAnyThread;

    public IoResult Connect(EndPoint endPoint) => IoResult.Failed(SocketError.IsConnected);

    public void Start(IStreamChannelOwner owner)
    {
        _owner = owner;
        kernel.Start(this);
    }

    public IoResult Receive(Span<byte> buffer)
    {
        if (!_arrived.TryDequeue(out ArraySegment<byte> first))
        {
            return _end ?? IoResult.Pending;
        }

        int count = Math.Min(first.Count, buffer.Length);
        first[..count].AsSpan().CopyTo(buffer);
        if (count < first.Count)
        {
            ArraySegment<byte>[] behind = [.. _arrived];
            _arrived.Clear();
            _arrived.Enqueue(first[count..]);
            Array.ForEach(behind, _arrived.Enqueue);
        }
        else if (_arrived.Count == 0)
        {
            loop.Post(new Completion(OnReceivable)); // the receive is posted again, and completes later
        }

        return IoResult.Of(count);
    }

    public IoResult Send(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
    {
        Assert.Null(_sending);
        _sending = buffers.ToArray();
        _done = 0;
        loop.Post(new Completion(GoOnSending));
        return IoResult.Pending;
    }

    public IoResult TrySend(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
    {
        Assert.Null(_sending);
        return kernel.TrySend(buffers);
    }

    public void ShutdownSend()
    {
        Assert.Null(_sending);
        kernel.ShutdownSend();
    }

    public IoResult Discard(int limit)
    {
        _arrived.Clear();
        return _end ?? kernel.Discard(limit);
    }

    public void Close(bool reset)
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        _reset = reset;
        if (_sending is null)
        {
            kernel.Close(reset);
        }
        else
        {
            loop.Post(new Completion(CancelSend));
        }
    }

    public void OnConnected(SocketError error) => Assert.Fail("It was connected.");

    public void OnReceivable()
    {
        while (_arrived.Count < MostHeld && _end is null && !_closed)
        {
            byte[] buffer = new byte[4096];
            IoResult result = kernel.Receive(buffer);
            if (result.IsPending)
            {
                break;
            }

            if (result.IsOk && result.Count > 0)
            {
                _arrived.Enqueue(new ArraySegment<byte>(buffer, 0, result.Count));
            }
            else
            {
                _end = result;
            }
        }

        if (!_closed && (_arrived.Count > 0 || _end is not null))
        {
            _owner!.OnReceivable();
        }
    }

    public void OnSendProgress(IoResult done)
    {
        if (!_closed)
        {
            GoOnSending();
        }
    }

    public void OnFailed(Exception reason) => _owner!.OnFailed(reason);

    public void OnClosed() => _owner!.OnClosed();

    // As with MSG_WAITALL: it ends when all has gone.
    private void GoOnSending()
    {
        if (_closed)
        {
            return; // the cancellation is on its way
        }

        IoResult result;
        while (!(result = kernel.Send(_sending)).IsPending)
        {
            if (result.IsOk)
            {
                Count(result.Count);
            }

            if (result.IsError || _sending!.Length == 0)
            {
                _sending = null;
                _owner!.OnSendProgress(result.IsError ? result : IoResult.Of(_done));
                return;
            }
        }
    }

    private void Count(int sent)
    {
        _done += sent;
        int whole = 0;
        while (whole < _sending!.Length && sent >= _sending[whole].Length)
        {
            sent -= _sending[whole++].Length;
        }

        _sending = _sending[whole..];
        if (sent > 0)
        {
            _sending[0] = _sending[0][sent..];
        }
    }

    // It may come too late, and then what is sent is still read from that memory.
    private void CancelSend()
    {
        kernel.Send(_sending);
        _sending = null;
        kernel.Close(_reset);
    }

    private sealed class Completion(Action run) : ILoopWork
    {
        public void Run() => run();
    }
}
