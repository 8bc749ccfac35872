using System.Net;
using System.Net.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Middleware.Tests.Sample;

/// <summary>
/// What is configured wrong ends the sample at its start: non-zero, with a message that names the endpoint and what to change.
/// </summary>
public sealed class SampleStartFailureTests
{
    [Theory]
    [InlineData("--LoopBridge:Driver=Turbo", "LoopBridge:Driver", "Auto | Epoll | Managed")]
    [InlineData("--LoopBridge:Mode=Sideways", "LoopBridge:Mode", "ReactorOnLoop | LoopOnReactor")]
    [InlineData("--LoopBridge:Scheduling=Never", "LoopBridge:Scheduling", "Inline | ThreadPool | Adaptive")]
    [InlineData("--LoopBridge:LoopCount=-2", "LoopBridge:LoopCount is -2", "1024")]
    [InlineData("--Kestrel:Endpoints:Web:Url=http://192.0.2.1:80", "192.0.2.1:80", "endpoint's Url")]
    [InlineData("--Kestrel:Endpoints:Web:Url=http://unix:/no/such/folder/web.sock", "/no/such/folder/web.sock",
        "create the directory or listen on another endpoint (with Kestrel, change the endpoint's Url")]
    public async Task Start_WithAWrongSetting_FailsAndNamesIt(string argument, params string[] parts)
    {
        (int code, string output) = await SampleProcess.RunToEndAsync(argument);

        Assert.NotEqual(0, code);
        Assert.All(parts, part => Assert.Contains(part, output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Start_OnATakenPort_FailsAndLeavesNothingListening()
    {
        using Socket taken = SampleProcess.TakePort();
        using var port = new ReservedPort();
        IPEndPoint released = port.EndPoint;

        // Chat is bound first and Web last: by the time Web fails the others listen.
        (int code, string output) = await SampleProcess.RunToEndAsync(
            $"--Kestrel:Endpoints:Chat:Url=http://{released}", $"--Kestrel:Endpoints:Web:Url=http://{taken.LocalEndPoint}");

        Assert.NotEqual(0, code);
        Assert.Contains($"{taken.LocalEndPoint}", output, StringComparison.Ordinal);
        Assert.Contains("Another socket listens there: end it, or listen on another endpoint (with Kestrel, change the endpoint's Url", output, StringComparison.Ordinal);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        SocketException refused = await Assert.ThrowsAsync<SocketException>(
            () => client.ConnectAsync(released, TestContext.Current.CancellationToken).AsTask());
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
    }
}
