using System.Globalization;
using LoopBridge.Middleware.Tests.Sample;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Middleware.Tests.Peers;

/// <summary>Real programs against the sample on real sockets.</summary>
public sealed class PeerTests
{
    [Theory]
    [InlineData("Web")]
    [InlineData("Http2", "--http2-prior-knowledge")]
    [InlineData("Https", "--insecure", "--http1.1")]
    [InlineData("Https", "--insecure", "--http2")]
    public async Task Curl_OnEveryEndpoint_GetsPlaintext(string endpoint, params string[] flags)
    {
        Peer curl = Peer.Require("curl");
        await using SampleFactory factory = SampleFactory.OnKestrel();

        PeerResult result = await curl.RunAsync("", [.. flags, "--silent", "--show-error", "--fail", "--max-time", "25",
            $"{factory.Address(endpoint)}plaintext"]);

        Assert.Equal("Hello, World!", result.Output);
        Assert.Equal(0, result.ExitCode);
        Assert.Empty(factory.Logs.AtLeast(LogLevel.Error));
    }

    [Theory]
    [InlineData("Echo", "to and fro", "to and fro")]
    [InlineData("Greeter", "Ada\n", "Hello, Ada!\n")]
    [InlineData("Chat", "Ada\nhello\n", "What is your name?\nWelcome, Ada.\nAda: hello\n")]
    public async Task Netcat_ThatFinishesSending_GetsItsAnswers(string endpoint, string input, string expected)
    {
        Peer netcat = Peer.Require("nc");
        await using SampleFactory factory = SampleFactory.OnKestrel();

        PeerResult result = await netcat.RunAsync(input, "-N", "-w", "25", "127.0.0.1",
            factory.EndPoint(endpoint).Port.ToString(CultureInfo.InvariantCulture));

        Assert.StartsWith(expected, result.Output, StringComparison.Ordinal);
        Assert.Empty(factory.Logs.AtLeast(LogLevel.Error));
    }

    [Fact]
    public async Task Wrk_WithManyConnections_SeesNoError()
    {
        Peer wrk = Peer.Require("wrk");
        await using SampleFactory factory = SampleFactory.OnKestrel();

        PeerResult result = await wrk.RunAsync("", "-t1", "-c32", "-d1s", $"{factory.Address("Web")}plaintext");

        Assert.Contains("Requests/sec", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Socket errors: connect", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Non-2xx", result.Output, StringComparison.Ordinal);
        Assert.Empty(factory.Logs.AtLeast(LogLevel.Error));
    }

    [Fact]
    public async Task H2load_WithManyStreams_SucceedsInAll()
    {
        Peer h2load = Peer.Require("h2load");
        await using SampleFactory factory = SampleFactory.OnKestrel();

        PeerResult result = await h2load.RunAsync("", "-n", "2000", "-c", "4", "-m", "16", $"{factory.Address("Http2")}plaintext");

        Assert.Contains("2000 succeeded, 0 failed", result.Output, StringComparison.Ordinal);
        Assert.Empty(factory.Logs.AtLeast(LogLevel.Error));
    }
}
