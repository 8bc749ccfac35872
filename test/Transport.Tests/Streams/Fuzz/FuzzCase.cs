using System.Text;

namespace LoopBridge.Transport.Tests.Streams.Fuzz;

internal enum FuzzEnd
{
    /// <summary>The peer keeps the connection open and says nothing more.</summary>
    None,

    /// <summary>The peer finishes sending.</summary>
    Orderly,

    /// <summary>The peer resets the connection.</summary>
    Reset,
}

/// <summary>What the peer sends, how that arrives, and what the reader asks for.</summary>
internal sealed record FuzzCase
{
    // A large case is not cut into more pieces than this, so that it takes no more turns than a small one.
    private const int MostPieces = 300;

    /// <summary>What is sent, in runs of one byte or of a delimiter: a text and how often.</summary>
    internal required (string Text, int Times)[] Runs
    {
        get;
        init
        {
            field = value;
            Data = Encoding.Latin1.GetBytes(string.Concat(value.SelectMany(run => Enumerable.Repeat(run.Text, run.Times))));
        }
    }

    internal byte[] Data { get; private init; } = [];

    internal required ReadStep[] Steps { get; init; }

    internal FuzzEnd End { get; init; }

    /// <summary>Sizes of the peer's writes, over and over. Empty: one write.</summary>
    internal int[] Sends { get; init; } = [];

    /// <summary>Turns between two writes of the peer.</summary>
    internal int SendPause { get; init; }

    /// <summary>Sizes of what arrives at once, over and over, where the link can have it so. Empty: as it is sent.</summary>
    internal int[] Pieces { get; init; } = [];

    /// <summary>How much the link holds, where it can be said.</summary>
    internal int Capacity { get; init; } = 65536;

    /// <summary>Whether the reader watches for the end, which makes the stream look for it between reads.</summary>
    internal bool WatchesClosed { get; init; }

    internal IEnumerable<ReadOnlyMemory<byte>> Writes()
    {
        int start = 0;
        for (int i = 0; start < Data.Length; i++)
        {
            int size = Sends.Length == 0 ? Data.Length : Math.Min(Scale(Sends[i % Sends.Length]), Data.Length - start);
            yield return Data.AsMemory(start, size);
            start += size;
        }
    }

    internal int Scale(int size) => Math.Max(size, Data.Length / MostPieces);

    /// <summary>Enough to do it again by hand; bytes that are not printed are escaped.</summary>
    public override string ToString()
    {
        string end = WatchesClosed ? $"{End}, watched" : $"{End}";
        IEnumerable<string> runs = Runs.Select(run => Printable(run.Text) + (run.Times == 1 ? "" : $" x{run.Times}"));
        return $"""
            {Data.Length} bytes: {string.Join(" + ", runs)}
            sent by [{string.Join(", ", Sends)}], {SendPause} turns between
            arriving by [{string.Join(", ", Pieces)}], capacity {Capacity}; end {end}
            {string.Join(Environment.NewLine, Steps.Select(step => $"  {step}"))}
            """;
    }

    internal static string Printable(string text)
        => $"\"{string.Concat(text.Select(c => c is >= ' ' and <= '~' ? $"{c}" : $"\\x{(int)c:x2}"))}\"";
}
