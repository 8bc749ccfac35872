using System.Text.RegularExpressions;

namespace LoopBridge.Transport.Tests.Streams.Fuzz;

internal enum ReadKind
{
    Until,
    UntilRegex,
    UntilClose,
    Chunks,
    AllChunks,
    Exactly,
    Partial,
}

/// <summary>One read of a case.</summary>
/// <param name="Kind">Which operation.</param>
/// <param name="Count">Its count of bytes: the limit, the amount, or the size of the buffer.</param>
/// <param name="Delimiter">What ends it, a byte for each character; or the pattern of what ends it.</param>
internal sealed record ReadStep(ReadKind Kind, int Count, string Delimiter = "")
{
    /// <summary>Turns to let pass before it, in which bytes arrive that nobody asked for.</summary>
    internal int Pause { get; init; }

    /// <summary>After how many turns its token fires; null: not while it can succeed.</summary>
    internal int? CancelAfter { get; init; }

    /// <summary>Whether a second read is tried while it is pending.</summary>
    internal bool TriesAnother { get; init; }

    public override string ToString()
    {
        string operation = Delimiter.Length > 0 ? $"{Kind}(\"{Regex.Escape(Delimiter)}\", {Count})" : $"{Kind}({Count})";
        return operation + (Pause > 0 ? $" after {Pause} turns" : "") + (CancelAfter is { } turns ? $" cancelled after {turns}" : "")
            + (TriesAnother ? " with another" : "");
    }
}
