using LoopBridge.Kestrel;
using LoopBridge.Middleware.Tests.Sample;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;

namespace LoopBridge.Middleware.Tests.Hosting;

/// <summary>An application under ASP.NET Core's own test harness, in both of its modes.</summary>
public sealed class WebApplicationFactoryTests
{
    [Theory, ClassData(typeof(Modes))]
    [Contract("K-103")]
    public async Task TestServer_NoListenerIsBound_AndTheLoopIsThereAllTheSame(LoopBridgeMode mode)
    {
        await using var factory = new SampleFactory(("LoopBridge:Mode", mode.ToString()));
        using HttpClient client = factory.CreateClient();

        // Answered from a reactor's timer, on the loop that the request was given.
        Assert.Contains("\"milliseconds\":1", await GetAsync(client, "/later?ms=1"), StringComparison.Ordinal);

        Assert.IsType<TestServer>(factory.Services.GetRequiredService<IServer>());
        Assert.Empty(factory.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? []);
        Assert.IsType<LoopTransportFactory>(factory.Services.GetServices<IConnectionListenerFactory>().Last()); // there, and not asked
    }

    [Theory, ClassData(typeof(Modes))]
    [Contract("K-104"), Contract("K-04")]
    public async Task KestrelMode_OurSocketsServe_AndTheClientIsThatOfTheLastEndpoint(LoopBridgeMode mode)
    {
        await using SampleFactory factory = SampleFactory.OnKestrel(("LoopBridge:Mode", mode.ToString()));
        using HttpClient client = factory.CreateClient();

        Assert.Equal(factory.Address("Web"), client.BaseAddress);
        Assert.Equal("Hello, World!", await GetAsync(client, "/plaintext"));
        Assert.IsType<LoopTransportFactory>(factory.Services.GetServices<IConnectionListenerFactory>().Last());
        Assert.Single(factory.Services.GetServices<IConnectionListenerFactory>().OfType<LoopTransportFactory>());
    }

    private static Task<string> GetAsync(HttpClient client, string path)
        => client.GetStringAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken).WithDeadline();
}
