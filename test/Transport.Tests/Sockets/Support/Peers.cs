using System.IO.Pipelines;
using System.Net.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>The other end of a stream under test.</summary>
internal interface IPeer : IDisposable
{
    Task SendAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>Zero is the end.</summary>
    Task<int> ReceiveAsync(Memory<byte> buffer);

    Task FinishAsync();

    Task ResetAsync();
}

internal static class PeerExtensions
{
    internal static async Task SendPatternAsync(this IPeer peer, long length)
    {
        for (long position = 0; position < length;)
        {
            int count = (int)Math.Min(length - position, 60_000);
            await peer.SendAsync(Pattern.At(position, count));
            position += count;
        }
    }

    /// <summary>Reads to the end and tells how much it was.</summary>
    internal static async Task<long> ReceivePatternAsync(this IPeer peer, long atMost = long.MaxValue, int step = 32768)
    {
        byte[] buffer = new byte[step];
        long position = 0;
        while (position < atMost)
        {
            int count = await peer.ReceiveAsync(buffer.AsMemory(0, (int)Math.Min(step, atMost - position)));
            if (count == 0)
            {
                break;
            }

            Assert.True(Pattern.Matches(position, buffer.AsSpan(0, count)), $"Other bytes than were sent came at {position}.");
            position += count;
        }

        return position;
    }
}

internal sealed class SocketPeer(Socket socket) : IPeer
{
    internal Socket Socket => socket;

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes).WithDeadline()..];
        }
    }

    public Task<int> ReceiveAsync(Memory<byte> buffer) => socket.ReceiveAsync(buffer).WithDeadline();

    public Task FinishAsync()
    {
        socket.Shutdown(SocketShutdown.Send);
        return Task.CompletedTask;
    }

    public Task ResetAsync()
    {
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
        socket.Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => socket.Dispose();
}

internal sealed class PipePeer(IDuplexPipe pipe) : IPeer
{
    public async Task SendAsync(ReadOnlyMemory<byte> bytes) => await pipe.Output.WriteAsync(bytes).WithDeadline();

    public async Task<int> ReceiveAsync(Memory<byte> buffer)
    {
        ReadResult result = await pipe.Input.ReadAsync().WithDeadline();
        int count = (int)Math.Min(result.Buffer.Length, buffer.Length);
        System.Buffers.BuffersExtensions.CopyTo(result.Buffer.Slice(0, count), buffer.Span);
        pipe.Input.AdvanceTo(result.Buffer.GetPosition(count));
        return count;
    }

    public async Task FinishAsync() => await pipe.Output.CompleteAsync();

    public async Task ResetAsync()
    {
        var reset = new Microsoft.AspNetCore.Connections.ConnectionResetException("The peer reset the connection.");
        await pipe.Output.CompleteAsync(reset);
        await pipe.Input.CompleteAsync(reset);
    }

    public void Dispose()
    {
        pipe.Input.Complete();
        pipe.Output.Complete();
    }
}

internal sealed record DuplexPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe
{
    internal static (DuplexPipe Ours, DuplexPipe Theirs) Pair(PipeOptions? options = null)
    {
        var there = new Pipe(options ?? PipeOptions.Default);
        var back = new Pipe(options ?? PipeOptions.Default);
        return (new DuplexPipe(there.Reader, back.Writer), new DuplexPipe(back.Reader, there.Writer));
    }
}
