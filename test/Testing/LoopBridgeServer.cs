using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Testing;

/// <summary>
/// A real Kestrel on LoopBridge, on dynamic ports, for one test. Disposing it stops the server and asserts that nothing was logged at
/// Error that the test did not expect.
/// </summary>
public sealed class LoopBridgeServer : IAsyncDisposable
{
    private readonly List<Func<LogEntry, bool>> _expected = [];

    private LoopBridgeServer(WebApplication app, LogCollector logs)
    {
        App = app;
        Logs = logs;
    }

    public WebApplication App { get; }

    public LogCollector Logs { get; }

    public IServiceProvider Services => App.Services;

    /// <summary>The addresses Kestrel reports, in the order the endpoints were bound.</summary>
    public Uri[] Addresses => [.. Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(address => new Uri(address))];

    public IPEndPoint EndPoint(int index = 0) => new(IPAddress.Loopback, Addresses[index].Port);

    /// <summary>Starts a server.</summary>
    /// <param name="mode">Which engine is native.</param>
    /// <param name="driver">The driver at the bottom.</param>
    /// <param name="kestrel">Its endpoints; null: one HTTP endpoint on a dynamic port of the loopback.</param>
    /// <param name="app">Its pipeline.</param>
    /// <param name="services">Its services.</param>
    /// <param name="options">LoopBridge's options.</param>
    /// <param name="configuration">Settings, as a file or the command line would bring them.</param>
    public static async Task<LoopBridgeServer> StartAsync(
        LoopBridgeMode mode,
        LoopDriver driver,
        Action<KestrelServerOptions>? kestrel = null,
        Action<WebApplication>? app = null,
        Action<IServiceCollection>? services = null,
        Action<LoopBridgeOptions>? options = null,
        IEnumerable<KeyValuePair<string, string?>>? configuration = null)
    {
        var logs = new LogCollector();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(
        [
            new("LoopBridge:Mode", mode.ToString()),
            new("LoopBridge:Driver", driver.ToString()),
            new("LoopBridge:LoopCount", "2"),

            // A loaded machine may keep a loop from its processor, and tests expect no warning.
            new("LoopBridge:StallLimit", Deadline.Default.ToString()),
        ]);
        builder.Configuration.AddInMemoryCollection(configuration);
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Trace).AddProvider(logs);
        builder.WebHost.UseLoopBridge(options ?? (static _ => { }));
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel ?? (static k => k.Listen(IPAddress.Loopback, 0)));
        services?.Invoke(builder.Services);
        WebApplication built = builder.Build();
        app?.Invoke(built);
        var server = new LoopBridgeServer(built, logs);
        try
        {
            await built.StartAsync().WithDeadline();
        }
        catch
        {
            await built.DisposeAsync(); // the test's to judge; nothing may stay behind
            throw;
        }

        return server;
    }

    /// <summary>From here on a log entry like this at Error or above is what the test wants.</summary>
    public void Expect(Func<LogEntry, bool> entry) => _expected.Add(entry);

    // Reported for the whole process, when the collector finds them: most are of other tests, which run at the same time.
    private static bool IsOfTheProcess(LogEntry entry) => entry.Id.Name == "DeferredFailureUnhandled";

    public async ValueTask DisposeAsync()
    {
        await App.StopAsync().WithDeadline();
        await App.DisposeAsync().WithDeadline();
        LogEntry[] surprises = [.. Logs.AtLeast(LogLevel.Error)
            .Where(entry => !IsOfTheProcess(entry) && !_expected.Any(expected => expected(entry)))];
        if (surprises.Length > 0)
        {
            throw new InvalidOperationException("The server logged errors that the test did not expect:\n" + string.Join('\n',
                surprises.Select(entry => entry.ToString())));
        }
    }
}
