using System.Text;
using LoopBridge.Protocols;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>The parser alone: a line receiver works without a connection.</summary>
public sealed class LineReceiverTests
{
    // "raw 3" switches to raw mode for three bytes, which may look like lines.
    private static readonly byte[] Mixed = "ab\r\n\r\nraw3\r\n\r\nx\r\r\ny\n"u8.ToArray();
    private static readonly string[] MixedEvents = ["line ab", "line ", "line raw3", "raw 0D0A78", "line \r"];

    [Fact]
    [Contract("R-PROTO-01")]
    public void DataReceived_OneByteAtATime_SameLines()
    {
        var lines = new Lines();
        foreach (byte b in Mixed)
        {
            lines.DataReceived([b]);
        }

        Assert.Equal(MixedEvents, lines.Events);
        Assert.Equal("y\n"u8.ToArray(), lines.ClearLineBuffer());
    }

    [Fact]
    [Contract("R-PROTO-01")]
    public void DataReceived_EveryFragmentation_SameLines()
    {
        for (int cuts = 0; cuts < 1 << (Mixed.Length - 1); cuts++)
        {
            var lines = new Lines();
            int start = 0;
            for (int i = 1; i <= Mixed.Length; i++)
            {
                if (i == Mixed.Length || (cuts & (1 << (i - 1))) != 0)
                {
                    lines.DataReceived(Mixed.AsSpan(start, i - start));
                    start = i;
                }
            }

            if (!lines.Events.SequenceEqual(MixedEvents))
            {
                Assert.Fail($"Cuts {cuts:B}: {string.Join(" | ", lines.Events)}");
            }
        }
    }

    [Theory]
    [InlineData("a\nb\r\n\r\n\n\rc\n", new[] { "line a", "line b", "line ", "line ", "line \rc" })]
    [InlineData("\r\r\n", new[] { "line \r" })]
    public void DataReceived_LineFeedAndTrim_BothLineEndsWork(string input, string[] expected)
    {
        foreach (int size in new[] { 1, 2, 100 })
        {
            var lines = new Lines { Delimiter = "\n"u8.ToArray(), TrimCarriageReturn = true };
            foreach (byte[] chunk in Encoding.ASCII.GetBytes(input).Chunk(size))
            {
                lines.DataReceived(chunk);
            }

            Assert.Equal(expected, lines.Events);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    [Contract("R-PROTO-05")]
    public void DataReceived_LineOfTheLimit_PassesHoweverCut(int size)
    {
        var lines = new Lines { MaxLineLength = 64 };
        string longest = new('x', 64);
        foreach (byte[] chunk in Encoding.ASCII.GetBytes($"{longest}\r\n{longest}\r\n{longest}\r").Chunk(size))
        {
            lines.DataReceived(chunk);
        }

        Assert.Equal([$"line {longest}", $"line {longest}"], lines.Events);
    }

    [Theory]
    [InlineData("short\r\n{0}\r\nrest", 1000, "{0}\r\nrest")]
    [InlineData("short\r\n{0}", 1000, "{0}")]
    [InlineData("short\r\n{0}", 1, "{0}")]
    [InlineData("short\r\n{0}\r\n{0}\r\n", 1000, "{0}\r\n{0}\r\n")]
    [Contract("R-PROTO-05")]
    public void DataReceived_LineTooLong_HookGetsAllFromItsStart(string format, int size, string exceeded)
    {
        string tooLong = new('x', 65);
        var lines = new Lines { MaxLineLength = 64, Exceeded = true };
        foreach (byte[] chunk in Encoding.ASCII.GetBytes(string.Format(null, format, tooLong)).Chunk(size))
        {
            lines.DataReceived(chunk);
        }

        Assert.Equal(["line short", "exceeded " + string.Format(null, exceeded, tooLong)], lines.Events);
        Assert.Empty(lines.ClearLineBuffer());
    }

    [Fact]
    [Contract("R-PROTO-05")]
    public void LineLengthExceeded_Default_ThrowsForTheTransport()
    {
        var lines = new Lines { MaxLineLength = 3 };

        Assert.Throws<MalformedInputException>(() => lines.DataReceived("ok\r\nlonger\r\n"u8));
        Assert.Equal(["line ok"], lines.Events);
        Assert.Equal(16384, new Lines().MaxLineLength);
    }

    [Fact]
    [Contract("R-PROTO-05")]
    public void LineLengthExceeded_OverrideReturnsTheRest_GoesOn()
    {
        var lines = new Lines { MaxLineLength = 3, Exceeded = true, SkipLongLines = true };

        lines.DataReceived("toolong\r\nok\r\ntoolong\r\nfin\r\n"u8);

        Assert.Equal(["line ok", "line fin"], lines.Events.Where(e => e.StartsWith("line", StringComparison.Ordinal)));
    }

    [Fact]
    [Contract("R-PROTO-04")]
    public void DataReceived_ThousandsOfModeFlips_StackDoesNotGrow()
    {
        const int Flips = 100_000;
        var lines = new FlippingLines();
        byte[] input = new byte[Flips * 3];
        for (int i = 0; i < Flips; i++)
        {
            "\r\nx"u8.CopyTo(input.AsSpan(i * 3));
        }

        lines.DataReceived(input);

        Assert.Equal(Flips, lines.Flips);
    }

    [Fact]
    [Contract("R-PROTO-04")]
    public void ClearLineBuffer_InsideADelivery_TakesTheRest()
    {
        byte[]? taken = null;
        var lines = new Lines();
        lines.OnLine = () =>
        {
            taken = lines.ClearLineBuffer();
            lines.DataReceived("new\r\n"u8);
            lines.OnLine = null;
        };

        lines.DataReceived("one\r\ntwo\r\nthree"u8);

        Assert.Equal("two\r\nthree"u8.ToArray(), taken);
        Assert.Equal(["line one", "line new"], lines.Events);
    }

    [Fact]
    public void DataReceived_InsideADelivery_LineStaysValidAndOrderIsKept()
    {
        var lines = new Lines();
        byte[] much = Encoding.ASCII.GetBytes(new string('y', 10_000) + "\r\n");
        lines.OnLine = () =>
        {
            lines.OnLine = null;
            lines.DataReceived(much);
            lines.DataReceived(much);
        };

        lines.DataReceived("first\r\nsecond\r\n"u8);

        Assert.Equal(["line first", "line second"], lines.Events.Take(2));
        Assert.Equal(4, lines.Events.Count);
        Assert.Equal("first", lines.AfterHook);
    }

    [Fact]
    public void SetLineMode_ForeignBytes_ComeBeforeTheRest()
    {
        var lines = new Lines();
        lines.DataReceived("end\r"u8);

        lines.SetLineMode("a\r\nb"u8);
        lines.DataReceived("\n"u8);

        Assert.Equal(["line a", "line bend"], lines.Events);
    }

    [Fact]
    [Contract("R-PROTO-07")]
    public void RawDataReceived_NotOverridden_Throws()
    {
        var lines = new FlippingLines.WithoutRaw();
        lines.SetRawMode();

        Assert.Throws<InvalidOperationException>(() => lines.DataReceived("x"u8));
    }

    [Fact]
    public void DataReceived_WholeLines_AllocatesNothing()
    {
        var lines = new FlippingLines.WithoutRaw();
        byte[] input = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("a line of some length\r\n", 100)));
        lines.DataReceived(input);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            lines.DataReceived(input);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(10_100, lines.Count);
    }

    private sealed class Lines : LineReceiver
    {
        internal List<string> Events { get; } = [];

        internal Action? OnLine { get; set; }

        internal bool Exceeded { get; init; }

        internal bool SkipLongLines { get; init; }

        internal string? AfterHook { get; private set; }

        private int _rawLeft;
        private string _raw = "";

        public override void LineReceived(ReadOnlySpan<byte> line)
        {
            string text = Encoding.ASCII.GetString(line);
            Events.Add($"line {text}");
            if (text == "raw3")
            {
                _rawLeft = 3;
                SetRawMode();
            }

            if (OnLine is { } hook)
            {
                hook();
                AfterHook = Encoding.ASCII.GetString(line);
            }
        }

        public override void RawDataReceived(ReadOnlySpan<byte> data)
        {
            int count = Math.Min(data.Length, _rawLeft);
            _raw += Convert.ToHexString(data[..count]);
            _rawLeft -= count;
            if (_rawLeft == 0)
            {
                Events.Add($"raw {_raw}");
                SetLineMode(data[count..]);
            }
        }

        public override void LineLengthExceeded(ReadOnlySpan<byte> unparsed)
        {
            if (!Exceeded)
            {
                base.LineLengthExceeded(unparsed);
            }

            Events.Add($"exceeded {Encoding.ASCII.GetString(unparsed)}");
            if (SkipLongLines)
            {
                SetLineMode(unparsed[(unparsed.IndexOf("\r\n"u8) + 2)..]);
            }
        }
    }

    private sealed class FlippingLines : LineReceiver
    {
        internal int Flips { get; private set; }

        public override void LineReceived(ReadOnlySpan<byte> line) => SetRawMode();

        public override void RawDataReceived(ReadOnlySpan<byte> data)
        {
            Flips++;
            SetLineMode(data[1..]);
        }

        internal sealed class WithoutRaw : LineReceiver
        {
            internal int Count { get; private set; }

            public override void LineReceived(ReadOnlySpan<byte> line) => Count++;
        }
    }
}
