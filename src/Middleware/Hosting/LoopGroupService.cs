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
    LoopGroup group,
    LoopMetrics metrics,
    HandlerRunner handlers,
    INameResolver resolver,
    IOptions<LoopBridgeOptions> options,
    ILoggerFactory loggers)
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
    /// When the handlers are done with what they had in hand, shutdown triggers run and what is still registered with a reactor is told of
    /// the loss, while its loop still turns.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // A server waits for its connections; those in memory, or over a test server, have nobody else who would.
        await WaitAsync(handlers.WaitForNoneAsync(), cancellationToken).ConfigureAwait(false);
        await WaitAsync(Task.WhenAll(group.Members.Select(ShutDownAsync)), cancellationToken).ConfigureAwait(false);
        Deferred.UnhandledFailure -= OnUnhandledFailure;
    }

    /// <summary>A host that is disposed of without a stop must not be told for ever of what fails in others.</summary>
    public void Dispose() => Deferred.UnhandledFailure -= OnUnhandledFailure;

    private static async Task WaitAsync(Task task, CancellationToken cancellationToken)
    {
        try
        {
            await task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The host's patience is at its end: what is left ends with the loops.
        }
    }

    private static async Task ShutDownAsync(LoopMember member)
    {
        if (member.Loop.FindReactor() is not { } reactor)
        {
            return;
        }

        try
        {
            await member.Loop.RunAsync(() =>
            {
                reactor.ShutDown();
                return Task.CompletedTask;
            }).ConfigureAwait(false);
        }
        catch (LoopClosedException)
        {
            // Somebody else disposes of the host meanwhile, as a WebApplicationFactory does: nothing is left to shut down.
        }
    }

    private void OnUnhandledFailure(object? sender, UnhandledFailureEventArgs e) => _logger.DeferredFailureUnhandled(e.Exception);
}
