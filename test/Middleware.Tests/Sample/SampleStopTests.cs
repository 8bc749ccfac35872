using System.Net;
using LoopBridge.Middleware.Tests.Handlers;
using LoopBridge.Testing;

namespace LoopBridge.Middleware.Tests.Sample;

/// <summary>SIGTERM ends the sample in order, whatever is in hand.</summary>
public sealed class SampleStopTests
{
    [Theory]
    [InlineData()]
    [InlineData("--LoopBridge:Driver=Managed")]
    [InlineData("--LoopBridge:Mode=LoopOnReactor")]
    [InlineData("--LoopBridge:Mode=LoopOnReactor", "--LoopBridge:Driver=Managed")]
    [InlineData("--LoopBridge:Scheduling=ThreadPool")]
    [InlineData("--LoopBridge:Scheduling=Inline")]
    [InlineData("--LoopBridge:Enabled=false")]
    public async Task Terminate_WithARequestInFlight_FinishesItAndExitsWithZero(params string[] arguments)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM.");
        await using SampleProcess sample = await SampleProcess.StartAsync(null, arguments);
        await using Client echo = await Client.TcpAsync(sample.EndPoint("Echo"));
        await echo.SendAsync(new byte[1]);
        await echo.ReceiveAsync(1);
        await using Client greeter = await Client.TcpAsync(sample.EndPoint("Greeter"));
        await greeter.SendAsync("Ada\n"u8.ToArray());
        await greeter.ReceiveAsync(1);
        using var http = new HttpClient { BaseAddress = new Uri($"http://{sample.EndPoint("Web")}") };
        Task<HttpResponseMessage> later = AskLater();

        // The timer stands on a loop: the request is in flight, not on its way. A slow machine may have answered it before that was seen.
        while (!(await http.GetStringAsync(new Uri("/loops", UriKind.Relative),
            TestContext.Current.CancellationToken).WithDeadline()).Contains("\"timers\":1", StringComparison.Ordinal))
        {
            if (later.IsCompleted)
            {
                (await later).Dispose();
                later = AskLater();
            }
        }

        await sample.TerminateAsync();

        using HttpResponseMessage answer = await later.WithDeadline();
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await echo.ReceiveAllAsync();
        await greeter.ReceiveAllAsync();
        Assert.Equal(0, await sample.WaitForExitAsync());
        Assert.DoesNotContain("fail:", sample.Output, StringComparison.Ordinal);

        Task<HttpResponseMessage> AskLater()
            => http.GetAsync(new Uri("/later?ms=1500", UriKind.Relative), TestContext.Current.CancellationToken);
    }
}
