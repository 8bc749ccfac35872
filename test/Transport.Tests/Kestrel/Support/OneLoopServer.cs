using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace LoopBridge.Transport.Tests.Kestrel;

/// <summary>Servers with one loop, so that whoever is held up by a handler shows.</summary>
internal static class OneLoopServer
{
    internal static Task<LoopBridgeServer> StartAsync(
        LoopBridgeMode mode,
        LoopDriver driver,
        LoopScheduling scheduling,
        Action<WebApplication> app,
        Action<KestrelServerOptions>? kestrel = null,
        TimeSpan? overstayLimit = null,
        int? maxWorkerThreads = null,
        Action<IServiceCollection>? services = null)
        => LoopBridgeServer.StartAsync(mode, driver, kestrel, app, services, options =>
        {
            options.LoopCount = 1;
            options.Scheduling = scheduling;
            options.OverstayLimit = overstayLimit ?? options.OverstayLimit;
            options.MaxWorkerThreads = maxWorkerThreads ?? options.MaxWorkerThreads;
        });
}
