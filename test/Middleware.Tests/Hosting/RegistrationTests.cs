using System.Net;
using LoopBridge.Kestrel;
using LoopBridge.Loops;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace LoopBridge.Middleware.Tests.Hosting;

/// <summary>Whatever is registered before or after: Kestrel's sockets are ours, once.</summary>
public sealed class RegistrationTests
{
    public static TheoryData<string> Orders =>
    [
        "LoopBridge", "LoopBridge LoopBridge", "Kestrel LoopBridge", "LoopBridge Kestrel", "LoopBridge Sockets", "Sockets LoopBridge",
        "LoopBridge KestrelOptions", "KestrelOptions LoopBridge", "LoopBridge Kestrel LoopBridge", "Keyed LoopBridge LoopBridge",
    ];

    [Theory, MemberData(nameof(Orders))]
    [Contract("K-04")]
    public async Task UseLoopBridge_InAnyOrder_IsUsedOnce(string order)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.Sources.Clear();
        foreach (string step in order.Split(' '))
        {
            if (step == "Keyed")
            {
                builder.Services.AddKeyedSingleton<object, Version>("key");
                continue;
            }

            _ = step switch
            {
                "Kestrel" => builder.WebHost.UseKestrel(),
                "KestrelOptions" => builder.WebHost.ConfigureKestrel(static kestrel => kestrel.AddServerHeader = false),
                "Sockets" => builder.WebHost.UseSockets(),
                _ => builder.WebHost.UseLoopBridge(),
            };
        }

        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        await using WebApplication app = builder.Build();
        app.MapGet("/", static (HttpContext context) => context.Features.Get<ILoopConnectionFeature>() is not null);
        await app.StartAsync(TestContext.Current.CancellationToken).WithDeadline();

        using var client = new HttpClient();
        Assert.Equal("true", await client.GetStringAsync(new Uri(app.Urls.Single()), TestContext.Current.CancellationToken).WithDeadline());
        Assert.Single(app.Services.GetServices<IConnectionListenerFactory>().OfType<LoopTransportFactory>());
        Assert.IsType<LoopTransportFactory>(app.Services.GetServices<IConnectionListenerFactory>().Last());
    }

    [Fact]
    public async Task AddLoopBridge_AfterAGroupOfOnesOwn_TakesThatGroup()
    {
        using var own = new LoopGroup(1);
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build()).AddLogging().AddSingleton(own);
        services.AddLoopBridge().AddLoopBridge();
        await using ServiceProvider provider = services.BuildServiceProvider(validateScopes: true);
        await using AsyncServiceScope scope = provider.CreateAsyncScope();

        Assert.Same(own.Members[0].Loop, scope.ServiceProvider.GetRequiredService<IEventLoop>());
        Assert.Same(own, Assert.Single(provider.GetServices<LoopGroup>()));
    }
}
