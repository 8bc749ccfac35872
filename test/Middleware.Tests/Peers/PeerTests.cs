using System.Globalization;
using LoopBridge.Middleware.Tests.Sample;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Middleware.Tests.Peers;

/// <summary>Real programs against the sample on real sockets.</summary>
public sealed class PeerTests
{
    [Theory]
    [InlineData(LoopBridgeMode.ReactorOnLoop, "Web")]
    [InlineData(LoopBridgeMode.ReactorOnLoop, "Http2", "--http2-prior-knowledge")]
    [InlineData(LoopBridgeMode.ReactorOnLoop, "Https", "--insecure", "--http1.1")]
    [InlineData(LoopBridgeMode.ReactorOnLoop, "Https", "--insecure", "--http2")]
    [InlineData(LoopBridgeMode.LoopOnReactor, "Web")]
    [InlineData(LoopBridgeMode.LoopOnReactor, "Http2", "--http2-prior-knowledge")]
    [InlineData(LoopBridgeMode.LoopOnReactor, "Https", "--insecure", "--http1.1")]
    [InlineData(LoopBridgeMode.LoopOnReactor, "Https", "--insecure", "--http2")]
    public async Task Curl_OnEveryEndpoint_GetsPlaintext(LoopBridgeMode mode, string endpoint, params string[] flags)
    {
        Peer curl = Peer.Require("curl");
        await using SampleFactory factory = SampleFactory.OnKestrel(("LoopBridge:Mode", mode.ToString()));

        PeerResult result = await curl.RunAsync("", [.. flags, "--silent", "--show-error", "--fail", "--max-time", "25",
            $"{factory.Address(endpoint)}plaintext"]);

        Assert.Equal("Hello, World!", result.Output);
        Assert.Equal(0, result.ExitCode);
        Assert.Empty(factory.Logs.AtLeast(LogLevel.Error));
    }

    [Theory]
    [InlineData(LoopBridgeMode.ReactorOnLoop, "Echo", "to and fro", "to and fro")]
    [InlineData(LoopBridgeMode.ReactorOnLoop, "Greeter", "Ada\n", "Hello, Ada!\n")]
    [InlineData(LoopBridgeMode.ReactorOnLoop, "Chat", "Ada\nhello\n", "What is your name?\nWelcome, Ada.\nAda: hello\n")]
    [InlineData(LoopBridgeMode.LoopOnReactor, "Echo", "to and fro", "to and fro")]
    [InlineData(LoopBridgeMode.LoopOnReactor, "Greeter", "Ada\n", "Hello, Ada!\n")]
    [InlineData(LoopBridgeMode.LoopOnReactor, "Chat", "Ada\nhello\n", "What is your name?\nWelcome, Ada.\nAda: hello\n")]
    public async Task Netcat_ThatFinishesSending_GetsItsAnswers(LoopBridgeMode mode, string endpoint, string input, string expected)
    {
        Peer netcat = Peer.Require("nc");
        await using SampleFactory factory = SampleFactory.OnKestrel(("LoopBridge:Mode", mode.ToString()));

        PeerResult result = await netcat.RunAsync(input, "-N", "-w", "25", "127.0.0.1",
            factory.EndPoint(endpoint).Port.ToString(CultureInfo.InvariantCulture));

        Assert.StartsWith(expected, result.Output, StringComparison.Ordinal);
        Assert.Empty(factory.Logs.AtLeast(LogLevel.Error));
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task Wrk_WithManyConnections_SeesNoError(LoopBridgeMode mode)
    {
        Peer wrk = Peer.Require("wrk");
        await using SampleFactory factory = SampleFactory.OnKestrel(("LoopBridge:Mode", mode.ToString()));

        PeerResult result = await wrk.RunAsync("", "-t1", "-c32", "-d1s", $"{factory.Address("Web")}plaintext");

        Assert.Contains("Requests/sec", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Socket errors: connect", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Non-2xx", result.Output, StringComparison.Ordinal);
        Assert.Empty(factory.Logs.AtLeast(LogLevel.Error));
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task H2load_WithManyStreams_SucceedsInAll(LoopBridgeMode mode)
    {
        Peer h2load = Peer.Require("h2load");
        await using SampleFactory factory = SampleFactory.OnKestrel(("LoopBridge:Mode", mode.ToString()));

        PeerResult result = await h2load.RunAsync("", "-n", "2000", "-c", "4", "-m", "16", $"{factory.Address("Http2")}plaintext");

        Assert.Contains("2000 succeeded, 0 failed", result.Output, StringComparison.Ordinal);
        Assert.Empty(factory.Logs.AtLeast(LogLevel.Error));
    }
}
