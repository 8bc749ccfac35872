using System.Net;
using System.Net.Sockets;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using LoopBridge.Streams;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>Whether a long line costs in proportion to its length, however many pieces it comes in.</summary>
internal sealed class ReadUntilTrial : ChildTrial
{
    private const int Short = 100_000;
    private const int Long = 1_000_000;
    private const int Piece = 1_000;
    private const string PerLine = "CPU µs/line";

    private static readonly byte[] LineEnd = "\n"u8.ToArray();

    public override string Name => "read-until";

    public override string Title => "a long line in pieces";

    public override string Description
        => $"ReadUntilAsync of one line that comes over loopback in pieces of {Piece:#,0} bytes, each sent when the stream has taken and"
            + $" searched the one before: a line of {Short:#,0} and one of {Long:#,0} bytes";

    public override string Left => $"{Short:#,0}";

    public override string Right => $"{Long:#,0}";

    // Ten times the bytes; three tenths more for what grows with them, such as the misses of a cache.
    public override IReadOnlyList<Figure> Figures { get; } = [new(PerLine, "#,0", Mark.AtMost(13))];

    protected override IReadOnlyList<Reading> Measure(TrialWork work)
    {
        using var loop = new TrialLoop(work.Driver);
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        LoopStream stream = loop.Run(() => ConnectAsync(loop.Loop, listener.LocalEndPoint!));
        using Socket peer = listener.Accept();
        peer.NoDelay = true;
        Slices<double> slices = work.Alternate(
            1, () => loop.Run(() => LineAsync(stream, peer, Short)), () => loop.Run(() => LineAsync(stream, peer, Long)));
        loop.Run(async () =>
        {
            await stream.CloseAsync();
            return true;
        });
        return [slices.Medians(PerLine, micros => micros)];
    }

    private static async Task<LoopStream> ConnectAsync(IEventLoop loop, EndPoint server)
    {
        LoopStream? stream = null;
        await SocketConnector.ConnectAsync(loop, server, StreamSocketOptions.Default, socket =>
        {
            stream = new LoopStream(socket);
            return stream.SocketSink;
        }, CancellationToken.None);
        return stream!;
    }

    /// <summary>
    /// The process's microseconds of processor time from the first piece sent to the line in hand; by the clock, the long line would meet
    /// a neighbour more often than the short one. On the loop, which the peer's short sends never block.
    /// </summary>
    private static async Task<double> LineAsync(LoopStream stream, Socket peer, int length)
    {
        byte[] piece = new byte[Piece];
        Array.Fill(piece, (byte)'x');
        TimeSpan start = Environment.CpuUsage.TotalTime;
        ValueTask<byte[]> line = stream.ReadUntilAsync(LineEnd);
        for (int sent = 0; sent < length; sent += Piece)
        {
            if (sent + Piece == length)
                piece[^1] = LineEnd[0];
            peer.Send(piece);

            // In a later turn: the poll between finds the piece. Only then the next, or several would come as one.
            while (!line.IsCompleted && stream.Buffered < sent + Piece)
                await Task.Yield();
        }

        byte[] received = await line;
        double micros = (Environment.CpuUsage.TotalTime - start).TotalMicroseconds;
        return received.Length == length ? micros : throw new InvalidOperationException($"{received.Length} bytes instead of {length}.");
    }
}
