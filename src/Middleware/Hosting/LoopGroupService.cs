using LoopBridge.Bridge;
using LoopBridge.Deferreds;
using LoopBridge.Diagnostics;
using LoopBridge.Handlers;
using LoopBridge.Loops;
using LoopBridge.Protocols;
using LoopBridge.Reactors;
using LoopBridge.Resolvers;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LoopBridge.Hosting;

/// <summary>
/// Starts the loops with the host, and shuts their reactors down with it. The loops themselves end when the container is disposed,
/// after every server and service that used them has stopped.
/// </summary>
internal sealed class LoopGroupService(
    LoopGroup group, LoopMetrics metrics, INameResolver resolver, IOptions<LoopBridgeOptions> options, ILoggerFactory loggers)
    : IHostedService, IDisposable
{
    private readonly ILogger _logger = loggers.CreateLogger("LoopBridge.Hosting");

    public Task StartAsync(CancellationToken cancellationToken)
    {
        group.Start();
        metrics.Start();
        foreach (LoopMember member in group.Members)
        {
            // What protocols connect and listen by themselves uses the application's resolver and log, too.
            IReactor reactor = member.Loop.GetReactor();
            reactor.InstallResolver(resolver);
            reactor.InstallTransportOptions(new TransportOptions
            {
                MaxUnsentBytes = options.Value.MaxUnsentBytes,
                Logger = loggers.CreateLogger("LoopBridge.Protocols"),
            });
        }

        Deferred.UnhandledFailure += OnUnhandledFailure;
        return Task.CompletedTask;
    }

    /// <summary>
    /// Shutdown triggers run and what is still registered with a reactor is told of the loss, while its loop still turns.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        foreach (LoopMember member in group.Members)
        {
            if (member.Loop.FindReactor() is { } reactor)
            {
                try
                {
                    await ShutDownAsync(member.Loop, reactor).WaitAsync(cancellationToken).ConfigureAwait(false);
                }
                catch (LoopClosedException)
                {
                    // Somebody else disposes of the host meanwhile, as a WebApplicationFactory does: nothing is left to shut down.
                }
            }
        }

        Deferred.UnhandledFailure -= OnUnhandledFailure;
    }

    /// <summary>A host that is disposed of without a stop must not be told for ever of what fails in others.</summary>
    public void Dispose() => Deferred.UnhandledFailure -= OnUnhandledFailure;

    private static Task ShutDownAsync(IEventLoop loop, ReactorBase reactor) => loop.RunAsync(() =>
    {
        reactor.ShutDown();
        return Task.CompletedTask;
    });

    private void OnUnhandledFailure(object? sender, UnhandledFailureEventArgs e) => _logger.DeferredFailureUnhandled(e.Exception);
}
