using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using LoopBridge.Middleware.Tests.Handlers;
using LoopBridge.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using WebApp;
using WebApp.Chat;

namespace LoopBridge.Middleware.Tests.Sample;

/// <summary>The sample on real Kestrel, with every switch that its command line has.</summary>
public sealed class SampleOnKestrelTests
{
    public static TheoryData<LoopBridgeMode, string, string, bool> Switches => new()
    {
        { LoopBridgeMode.ReactorOnLoop, "Epoll", "Inline", true },
        { LoopBridgeMode.ReactorOnLoop, "Epoll", "ThreadPool", true },
        { LoopBridgeMode.ReactorOnLoop, "Managed", "Inline", true },
        { LoopBridgeMode.ReactorOnLoop, "Managed", "ThreadPool", true },
        { LoopBridgeMode.ReactorOnLoop, "Auto", "Inline", false },
        { LoopBridgeMode.LoopOnReactor, "Epoll", "Inline", true },
        { LoopBridgeMode.LoopOnReactor, "Epoll", "ThreadPool", true },
        { LoopBridgeMode.LoopOnReactor, "Managed", "Inline", true },
        { LoopBridgeMode.LoopOnReactor, "Auto", "Inline", false },
    };

    [Theory, MemberData(nameof(Switches))]
    public async Task Http_EveryPathOfEveryEndpoint_Answers(LoopBridgeMode mode, string driver, string scheduling, bool enabled)
    {
        await using SampleFactory factory = Start(mode, driver, scheduling, enabled);
        string expected = driver == "Auto" ? "epoll" : driver;
        foreach ((string endpoint, Version version) in ((string, Version)[])[
            ("Web", HttpVersion.Version11),
            ("Http2", HttpVersion.Version20),
            ("Https", HttpVersion.Version11),
            ("Https", HttpVersion.Version20)])
        {
            using HttpClient client = factory.ClientOf(endpoint, version);
            await HttpSurface.CheckAsync(client, mode, expected);
        }

        Assert.Empty(factory.Logs.AtLeast(LogLevel.Error));
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task Loops_WhileAHandlerOverstays_TellsOfItTheHandOverAndTheThreadItHas(LoopBridgeMode mode)
    {
        await using SampleFactory factory = SampleFactory.OnKestrel(("LoopBridge:Mode", mode.ToString()), ("LoopBridge:LoopCount", "1"));
        using HttpClient client = factory.ClientOf("Web", HttpVersion.Version11);
        using var patience = new CancellationTokenSource(Deadline.Default);
        JsonElement loop;
        do
        {
            // On a loaded machine the watchdog may not come to look while one of them blocks.
            Task<string> blocked = client.GetStringAsync(new Uri("/block?ms=500", UriKind.Relative), patience.Token);
            do
            {
                loop = await LoopAsync(client);
            }
            while (!IsTold(loop) && !blocked.IsCompleted);

            Assert.Equal("500", await blocked);
        }
        while (!IsTold(loop));

        Assert.Equal("Adaptive", loop.GetProperty("scheduling").GetString());

        static bool IsTold(JsonElement loop)
            => Array.TrueForAll(["overstays", "handOvers", "busyWorkers"], (string name) => loop.GetProperty(name).GetInt32() > 0);
    }

    [Theory, MemberData(nameof(Switches))]
    public async Task RawPorts_ServeTheirHandlers(LoopBridgeMode mode, string driver, string scheduling, bool enabled)
    {
        await using SampleFactory factory = Start(mode, driver, scheduling, enabled);
        Assert.Equal(factory.EndPoint("Echo"), Assert.Single(factory.Services.GetEndPoints<EchoProtocol>()));
        Assert.Equal(factory.EndPoint("Greeter"), Assert.Single(factory.Services.GetEndPoints<GreeterHandler>()));
        Assert.Equal(factory.EndPoint("Chat"), Assert.Single(factory.Services.GetEndPoints<ChatProtocol>()));

        await using Client echo = await Client.TcpAsync(factory.EndPoint("Echo"));
        await echo.SendAsync("to and fro"u8.ToArray());
        Assert.Equal("to and fro"u8.ToArray(), await echo.ReceiveAsync(10));

        await using Client greeter = await Client.TcpAsync(factory.EndPoint("Greeter"));
        await greeter.SendAsync("Ada\n"u8.ToArray());
        Assert.Equal("Hello, Ada!\n"u8.ToArray(), await greeter.ReceiveAsync("Hello, Ada!\n".Length));

        await using Client ada = await Client.TcpAsync(factory.EndPoint("Chat"));
        await using Client grace = await Client.WebSocketAsync(new Uri($"ws://{factory.EndPoint("Web")}/ws/chat"));
        await ChatTalk.HoldAsync(ada.Stream, grace.Stream);
        Assert.Empty(factory.Logs.AtLeast(LogLevel.Error));
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task RawPort_ConfiguredAsHttps_SpeaksTls(LoopBridgeMode mode)
    {
        // An address that says https and then serves in the clear would betray whoever configured it.
        await using SampleFactory factory = SampleFactory.OnKestrel(
            ("LoopBridge:Mode", mode.ToString()),
            ("Kestrel:Endpoints:Echo:Url", "https://127.0.0.1:0"),
            ("Kestrel:Endpoints:Greeter:Url", "https://127.0.0.1:0"));

        foreach (string name in (string[])["Echo", "Greeter"])
        {
            await using Client client = await Client.TlsAsync(factory.EndPoint(name),
                static certificate => certificate.Subject == "CN=localhost");
            await client.SendAsync("Ada\n"u8.ToArray());
            Assert.NotEmpty(await client.ReceiveAsync(4));
        }
    }

    [Fact]
    public async Task Certificate_ConfiguredAsTheDefault_IsServed()
    {
        string file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.pfx");
        using X509Certificate2 own = TestCertificate.Create("CN=configured");
        await File.WriteAllBytesAsync(file, own.Export(X509ContentType.Pkcs12), TestContext.Current.CancellationToken);
        try
        {
            await using SampleFactory factory = SampleFactory.OnKestrel(("Kestrel:Certificates:Default:Path", file));
            await using Client client = await Client.TlsAsync(factory.EndPoint("Https"),
                static certificate => certificate.Subject == "CN=configured");
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static async Task<JsonElement> LoopAsync(HttpClient client)
    {
        string answer = await client.GetStringAsync(new Uri("/loops", UriKind.Relative), TestContext.Current.CancellationToken).WithDeadline();
        using JsonDocument loops = JsonDocument.Parse(answer);
        return Assert.Single(loops.RootElement.EnumerateArray()).Clone();
    }

    private static SampleFactory Start(LoopBridgeMode mode, string driver, string scheduling, bool enabled)
    {
        Assert.SkipWhen(driver == "Epoll" && !OperatingSystem.IsLinux(), "Only Linux has epoll.");
        return SampleFactory.OnKestrel(
            ("LoopBridge:Mode", mode.ToString()),
            ("LoopBridge:Driver", driver),
            ("LoopBridge:Scheduling", scheduling),
            ("LoopBridge:Enabled", enabled.ToString()));
    }
}
