namespace LoopBridge.Protocols;

/// <summary>
/// A protocol of lines, with an escape to raw data and back. However the bytes are cut on their way, the lines are the same. Descends from
/// Twisted's <c>LineReceiver</c>.
/// </summary>
/// <remarks>
/// Nothing is delivered while the transport is paused or too much waits to be sent (<see cref="ITransport.IsPaused"/>), not even from what
/// has arrived already; it follows when the transport goes on. After <see cref="ITransport.LoseConnection"/> nothing is delivered at all.
/// </remarks>
public abstract class LineReceiver : Protocol
{
    /// <summary>Twisted's <c>MAX_LENGTH</c>.</summary>
    public const int DefaultMaxLineLength = 16384;

    private readonly LineBuffer _buffer = new();
    private ReadOnlyMemory<byte> _delimiter = "\r\n"u8.ToArray();
    private int _maxLineLength = DefaultMaxLineLength;
    private int _searched;
    private bool _parsing;

    /// <summary>What ends a line. Defaults to CR LF.</summary>
    /// <exception cref="ArgumentException">It is empty.</exception>
    public ReadOnlyMemory<byte> Delimiter
    {
        get => _delimiter;
        set
        {
            if (value.IsEmpty)
            {
                throw new ArgumentException("Lines need a delimiter.", nameof(value));
            }

            _delimiter = value;
            _searched = 0;
        }
    }

    /// <summary>
    /// Whether a CR before the delimiter is no part of the line. With LF as <see cref="Delimiter"/> it lets both kinds of line end through.
    /// Defaults to false.
    /// </summary>
    public bool TrimCarriageReturn { get; set; }

    /// <summary>How many bytes a line may have without its delimiter. It bounds what the connection stores. Defaults to 16384.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxLineLength
    {
        get => _maxLineLength;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _maxLineLength = value;
        }
    }

    /// <summary>Whether data comes by <see cref="RawDataReceived"/> instead of lines. At first it does not.</summary>
    public bool IsRawMode { get; private set; }

    /// <summary>A line has come.</summary>
    /// <param name="line">Without its delimiter, and valid during the call only.</param>
    public abstract void LineReceived(ReadOnlySpan<byte> line);

    /// <summary>Data has come in raw mode.</summary>
    /// <param name="data">
    /// All that there is; valid during the call only. What is no raw data any more goes to <see cref="SetLineMode"/>.
    /// </param>
    /// <exception cref="InvalidOperationException">Not overridden, but <see cref="SetRawMode"/> was called.</exception>
    public virtual void RawDataReceived(ReadOnlySpan<byte> data)
        => throw new InvalidOperationException(
            $"{GetType().Name} calls {nameof(SetRawMode)} and does not override {nameof(RawDataReceived)}.");

    /// <summary>
    /// A line has more than <see cref="MaxLineLength"/> bytes, or will have. By default it closes the connection in order, with a
    /// <see cref="MalformedInputException"/> as reason.
    /// </summary>
    /// <param name="unparsed">
    /// All that there is from the start of that line on; valid during the call only, and dropped after it. An override that goes on hands
    /// what comes after the line to <see cref="SetLineMode"/>.
    /// </param>
    /// <exception cref="MalformedInputException">By default.</exception>
    public virtual void LineLengthExceeded(ReadOnlySpan<byte> unparsed)
        => throw new MalformedInputException($"A line is longer than {MaxLineLength} bytes.");

    /// <summary>Sends a line and its delimiter.</summary>
    public void SendLine(ReadOnlySpan<byte> line)
    {
        Transport.Write(line);
        Transport.Write(_delimiter.Span);
    }

    /// <summary>From the end of the present line on, data comes by <see cref="RawDataReceived"/>.</summary>
    public void SetRawMode() => IsRawMode = true;

    /// <summary>From here on, data comes as lines.</summary>
    /// <param name="rest">
    /// What was received and is no raw data: it is parsed as soon as the present callback has returned, or at once outside of one.
    /// </param>
    public void SetLineMode(ReadOnlySpan<byte> rest = default)
    {
        IsRawMode = false;
        _searched = 0;
        _buffer.Return(rest);
        Parse();
    }

    /// <summary>Takes what has been received and not delivered yet.</summary>
    public byte[] ClearLineBuffer()
    {
        byte[] taken = _buffer.Unparsed.ToArray();
        _buffer.Clear();
        _searched = 0;
        return taken;
    }

    /// <inheritdoc />
    public sealed override void DataReceived(ReadOnlySpan<byte> data)
    {
        _buffer.Append(data);
        Parse();
    }

    /// <inheritdoc />
    public sealed override void ProducingResumed() => Parse();

    // A loop, never a recursion: whatever a callback changes, the next round finds (R-PROTO-04).
    private void Parse()
    {
        if (_parsing)
        {
            return;
        }

        _parsing = true;
        try
        {
            while (_buffer.Length > 0 && MayDeliver() && DeliverNext())
            {
                _buffer.EndLoan();
            }
        }
        finally
        {
            _parsing = false;
            _buffer.EndLoan();
            _buffer.Trim();
        }
    }

    private bool MayDeliver()
    {
        if (!IsUsed)
        {
            return true; // fed by hand
        }

        if (Transport.IsDisconnecting)
        {
            _buffer.Clear(); // nobody will want it (R-PROTO-03)
            return false;
        }

        return !Transport.IsPaused;
    }

    // False: that was all, until more comes.
    private bool DeliverNext()
    {
        if (IsRawMode)
        {
            RawDataReceived(_buffer.Lend(_buffer.Length));
            return true;
        }

        ReadOnlySpan<byte> unparsed = _buffer.Unparsed;
        ReadOnlySpan<byte> delimiter = _delimiter.Span;

        // What was searched before is not searched again, but for a delimiter that had only begun.
        int from = Math.Max(_searched - (delimiter.Length - 1), 0);
        int found = unparsed[from..].IndexOf(delimiter);
        int end = found < 0 ? unparsed.Length : from + found;
        int length = found < 0 ? end - BegunDelimiter(unparsed) : end - TrimmedBefore(unparsed[..end]);
        if (length > MaxLineLength)
        {
            _searched = 0;
            LineLengthExceeded(_buffer.Lend(unparsed.Length));
            return true;
        }

        if (found < 0)
        {
            _searched = unparsed.Length;
            return false;
        }

        _searched = 0;
        LineReceived(_buffer.Lend(end + delimiter.Length)[..length]);
        return true;
    }

    private int TrimmedBefore(ReadOnlySpan<byte> line) => TrimCarriageReturn && line is [.., (byte)'\r'] ? 1 : 0;

    // How many bytes at the end may turn out to belong to the delimiter: they do not count for the limit (R-PROTO-05).
    private int BegunDelimiter(ReadOnlySpan<byte> unparsed)
    {
        ReadOnlySpan<byte> delimiter = _delimiter.Span;
        int begun = Math.Min(delimiter.Length - 1, unparsed.Length);
        while (begun > 0 && !unparsed.EndsWith(delimiter[..begun]))
        {
            begun--;
        }

        return begun + TrimmedBefore(unparsed[..^begun]);
    }
}
