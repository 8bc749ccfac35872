using System.Net;
using LoopBridge.Middleware.Tests.Handlers;
using LoopBridge.Middleware.Tests.Sample;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace LoopBridge.Middleware.Tests.Hosting;

/// <summary>A port is found by the name of its endpoint.</summary>
public sealed class NamedEndpointTests
{
    [Theory, ClassData(typeof(Modes))]
    [Contract("K-105")]
    public async Task GetEndPoints_OfAName_IsThePortThatWasBound(LoopBridgeMode mode)
    {
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(mode, LoopDriver.Auto, kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Named("first"));
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Named("second"));
        });

        Assert.Equal(server.EndPoint(0), Assert.Single(server.Services.GetEndPoints("FIRST")));
        Assert.Equal(server.EndPoint(1), Assert.Single(server.Services.GetEndPoints("second")));
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => server.Services.GetEndPoints("third"));
        Assert.Contains("'third'. There are: first, second.", e.Message, StringComparison.Ordinal);
    }

    [Theory, ClassData(typeof(Modes))]
    [Contract("K-105")]
    public async Task GetEndPoints_OfAConfiguredName_FollowsAReload(LoopBridgeMode mode)
    {
        await using SampleFactory factory = SampleFactory.OnKestrel(("LoopBridge:Mode", mode.ToString()));
        Assert.Equal(factory.EndPoint("Echo"), Assert.Single(factory.Services.GetEndPoints("Echo")));
        await EchoAsync(factory.EndPoint("Echo"));

        var configuration = (IConfigurationRoot)factory.Services.GetRequiredService<IConfiguration>();
        configuration["Kestrel:Endpoints:Echo:Url"] = "http://[::1]:0";
        configuration.Reload();

        Assert.True(
            SpinWait.SpinUntil(() => factory.Services.GetEndPoints("Echo") is [IPEndPoint { Port: not 0 } at] && at.Address.Equals(IPAddress.IPv6Loopback), Deadline.Default),
            "The name did not move with the endpoint.");
        await EchoAsync(Assert.Single(factory.Services.GetEndPoints("Echo")));
    }

    private static async Task EchoAsync(EndPoint endPoint)
    {
        await using Client client = await Client.TcpAsync(endPoint);
        await client.SendAsync("on"u8.ToArray());
        Assert.Equal("on"u8.ToArray(), await client.ReceiveAsync(2));
    }
}
