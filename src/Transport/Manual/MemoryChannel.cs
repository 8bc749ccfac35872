using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Manual;

/// <summary>One end of a connection in memory, in the place of a socket.</summary>
/// <param name="input">What comes from the other end.</param>
/// <param name="output">What goes to the other end.</param>
/// <param name="local">What to tell as the local address.</param>
/// <param name="remote">What to tell as the other end's.</param>
internal sealed class MemoryChannel(MemoryPipe input, MemoryPipe output, EndPoint? local, EndPoint? remote) : IStreamChannel
{
    private bool _closed;

    /// <summary>Two ends that are connected. Loop thread.</summary>
    internal static (MemoryChannel Client, MemoryChannel Server) CreatePair(IEventLoop loop, MemoryStreamOptions options)
    {
        options.Validate();
        if (!loop.IsOnLoopThread)
        {
            throw new InvalidOperationException("Streams in memory are made on the thread of their loop: AddCallback brings you there.");
        }

        int[] pieces = [.. options.PieceSizes];
        var toServer = new MemoryPipe(loop, options.Capacity, pieces);
        var toClient = new MemoryPipe(loop, options.Capacity, pieces);
        return (
            new MemoryChannel(toClient, toServer, options.ClientEndPoint, options.ServerEndPoint),
            new MemoryChannel(toServer, toClient, options.ServerEndPoint, options.ClientEndPoint));
    }

    public EndPoint? LocalEndPoint => local;

    public EndPoint? RemoteEndPoint => remote;

    public RawSocket? Socket => null;

    public bool CanSendFromAnyThread => false;

    public IoResult Connect(EndPoint endPoint) => IoResult.Failed(SocketError.IsConnected);

    public void Start(IStreamChannelOwner owner)
    {
        input.Receiver = owner;
        output.Sender = owner;
    }

    public IoResult Receive(Span<byte> buffer) => _closed ? IoResult.Failed(SocketError.OperationAborted) : input.Receive(buffer);

    public IoResult Send(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
        => _closed ? IoResult.Failed(SocketError.OperationAborted) : output.Send(buffers);

    public IoResult TrySend(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
        => throw new InvalidOperationException("A stream in memory is written to from the loop only.");

    public void ShutdownSend()
    {
        if (!_closed)
        {
            output.Finish();
        }
    }

    public void Close(bool reset)
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        IStreamChannelOwner? owner = input.Receiver;
        input.Receiver = null;
        output.Sender = null;
        input.Abandon(reset);
        if (reset)
        {
            output.Reset();
        }
        else
        {
            output.Finish();
        }

        owner?.OnClosed();
    }
}
