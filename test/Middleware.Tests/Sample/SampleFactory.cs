using System.Net;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Middleware.Tests.Sample;

/// <summary>
/// The whole sample inside a test: on a test server, or after <c>UseKestrel()</c> and <c>StartServer()</c> on real sockets with dynamic
/// ports.
/// </summary>
internal sealed class SampleFactory(params (string Key, string Value)[] settings) : WebApplicationFactory<Program>
{
    // In the order in which Kestrel binds them.
    private static readonly string[] Names = ["Chat", "Echo", "Greeter", "Http2", "Https", "Web"];

    internal LogCollector Logs { get; } = new();

    internal static SampleFactory OnKestrel(params (string Key, string Value)[] settings)
    {
        var factory = new SampleFactory(settings);
        factory.UseKestrel();
        factory.StartServer();
        return factory;
    }

    internal Uri Address(string name)
        => new(Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ElementAt(Array.IndexOf(Names, name)));

    internal IPEndPoint EndPoint(string name) => new(IPAddress.Loopback, Address(name).Port);

    /// <summary>A client of one endpoint, in one version of HTTP, that knows no certificate's issuer.</summary>
    internal HttpClient ClientOf(string name, Version version)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate?.Subject == "CN=localhost";
        return new HttpClient(handler)
        {
            BaseAddress = Address(name),
            DefaultRequestVersion = version,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = Deadline.Default,
        };
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        foreach (string name in Names)
        {
            builder.UseSetting($"Kestrel:Endpoints:{name}:Url", $"{(name == "Https" ? "https" : "http")}://127.0.0.1:0");
        }

        builder.UseSetting("LoopBridge:LoopCount", "2");
        foreach ((string key, string value) in settings)
        {
            builder.UseSetting(key, value);
        }

        builder.ConfigureLogging(logging => logging.ClearProviders().AddProvider(Logs));
    }
}
