using LoopBridge.Diagnostics;
using LoopBridge.Loops;
using Microsoft.Extensions.Hosting;

namespace LoopBridge.Hosting;

/// <summary>
/// Starts the loops with the host. They end when the container is disposed, after every server and service that used them has stopped.
/// </summary>
internal sealed class LoopGroupService(LoopGroup group, LoopMetrics metrics) : IHostedService
{
    // Held so that somebody has asked for the meter's instruments.
    private readonly LoopMetrics _metrics = metrics;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        group.Start();
        _metrics.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
