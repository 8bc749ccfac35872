using LoopBridge.Handlers;
using LoopBridge.Loops;
using LoopBridge.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LoopBridge.Middleware.Tests.Handlers;

/// <summary>Work for a loop that is closed before it comes to it: whoever waits has to know.</summary>
public sealed class LoopInvocationTests
{
    [Fact]
    public async Task RunAsync_OnAClosedLoop_Fails()
    {
        var loop = new EventLoop();
        loop.Dispose();

        await Assert.ThrowsAsync<LoopClosedException>(() => loop.RunAsync(static () => Task.CompletedTask).WithDeadline());
    }

    [Fact]
    public async Task RunAsync_OnALoopThatClosesFirst_Ends()
    {
        var loop = new EventLoop();
        Task outer = Task.CompletedTask;
        Task ran = loop.RunAsync(() =>
        {
            loop.Stop();
            outer = loop.RunAsync(static () => Task.CompletedTask);
            return Task.CompletedTask;
        });
        loop.Start();
        loop.Dispose();

        await ran.WithDeadline();
        await Task.WhenAny(outer).WithDeadline();
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task Stop_OfAHostWhoseLoopsAreClosed_IsQuiet(LoopBridgeMode mode)
    {
        // What a WebApplicationFactory does: the test disposes of the host while the program stops it.
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLoopBridge().Configure<LoopBridgeOptions>(options => options.Mode = mode);
        using IHost host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken).WithDeadline();
        host.Services.GetRequiredService<LoopGroup>().Dispose();

        await host.StopAsync(TestContext.Current.CancellationToken).WithDeadline();
    }
}
