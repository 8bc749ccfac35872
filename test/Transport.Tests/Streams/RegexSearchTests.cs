using System.Text.RegularExpressions;
using LoopBridge.Loops;
using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class RegexSearchTests : IDisposable
{
    // Its clock alone is used. A search takes a second by it, whatever else the machine does.
    private readonly EventLoop _loop = new(new EventLoopOptions { MakeCurrent = false, TimeProvider = new SteppingClock() });

    private static readonly Regex Line = new("\n", RegexOptions.NonBacktracking);

    [Fact]
    [Contract("L-STR-06")]
    public void FindEnd_MoreIsComing_SearchesAgainWhenTheBufferHasDoubled()
    {
        var search = new RegexSearch(Line, _loop);
        byte[] bytes = new byte[1000];
        Assert.Equal(-1, search.FindEnd(bytes.AsSpan(0, 100), isQuiet: false, mustDecide: false));
        bytes[100] = (byte)'\n';
        Assert.Equal(-1, search.FindEnd(bytes.AsSpan(0, 199), isQuiet: false, mustDecide: false));
        Assert.Null(search.Rest);
        Assert.Equal(101, search.FindEnd(bytes.AsSpan(0, 200), isQuiet: false, mustDecide: false));
    }

    [Theory]
    [InlineData(true, false), InlineData(false, true)]
    public void FindEnd_NothingMoreComes_SearchesAtOnce(bool isQuiet, bool mustDecide)
    {
        var search = new RegexSearch(Line, _loop);
        byte[] bytes = [.. new byte[100], (byte)'\n'];
        Assert.Equal(-1, search.FindEnd(bytes.AsSpan(0, 100), isQuiet, mustDecide));
        Assert.Equal(101, search.FindEnd(bytes, isQuiet, mustDecide));
    }

    [Fact]
    [Contract("L-STR-06")]
    public void FindEnd_LongInputTricklesIn_RestsBetweenSearches()
    {
        var search = new RegexSearch(new Regex("(x+x+)+y", RegexOptions.NonBacktracking), _loop);
        byte[] bytes = new byte[1024 * 1024];
        bytes.AsSpan().Fill((byte)'x');
        Assert.Equal(-1, search.FindEnd(bytes.AsSpan(0, bytes.Length - 1), isQuiet: true, mustDecide: false));
        bytes[^1] = (byte)'y';
        Assert.Equal(-1, search.FindEnd(bytes, isQuiet: true, mustDecide: false));
        Assert.True(search.Rest > TimeSpan.Zero);
        Assert.Equal(bytes.Length, search.FindEnd(bytes, isQuiet: true, mustDecide: true));
    }

    public void Dispose() => _loop.Dispose();

    /// <summary>Goes on by a second whenever somebody looks at it.</summary>
    private sealed class SteppingClock : TimeProvider
    {
        private long _looks;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _looks++;
    }
}
