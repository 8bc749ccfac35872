using System.Net;
using System.Net.Sockets;
using System.Text;
using LoopBridge.Middleware.Tests.Handlers;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Middleware.Tests.Sample;

/// <summary>Peers that misbehave end or wait alone, within bounds; everybody else is served on.</summary>
public sealed class BadInputTests
{
    public static TheoryData<LoopBridgeMode, LoopDriver> Engines
    {
        get
        {
            var engines = new TheoryData<LoopBridgeMode, LoopDriver>
            {
                { LoopBridgeMode.ReactorOnLoop, LoopDriver.Auto },
                { LoopBridgeMode.LoopOnReactor, LoopDriver.Auto },
            };
            if (OperatingSystem.IsLinux())
            {
                engines.Add(LoopBridgeMode.ReactorOnLoop, LoopDriver.Managed);
            }

            return engines;
        }
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Resets_OnEveryPort_HarmNobody(LoopBridgeMode mode, LoopDriver driver)
    {
        await using SampleFactory factory = Start(mode, driver);
        for (int i = 0; i < 10; i++)
        {
            foreach (string name in (string[])["Chat", "Echo", "Greeter", "Http2", "Https", "Web"])
            {
                await using Client client = await Client.TcpAsync(factory.EndPoint(name));
                await client.SendAsync("GET / HTTP/1.1\r\nhost: a\n"u8.ToArray());
                client.Reset();
            }
        }

        await CheckServiceAsync(factory);
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Garbage_OnEveryPort_EndsThatConnectionAtMost(LoopBridgeMode mode, LoopDriver driver)
    {
        byte[] garbage = new byte[20_000];
        new Random(11).NextBytes(garbage);
        await using SampleFactory factory = Start(mode, driver);
        foreach (string name in (string[])["Chat", "Echo", "Greeter", "Http2", "Https", "Web"])
        {
            await using Client client = await Client.TcpAsync(factory.EndPoint(name));
            try
            {
                await client.SendAsync(garbage);
                await client.FinishSendingAsync();
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                // The server had seen enough before all of it was sent.
            }

            await client.WaitForEndAsync();
        }

        await CheckServiceAsync(factory);
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task HalfCloses_BeforeAnything_EndTheConnection(LoopBridgeMode mode, LoopDriver driver)
    {
        await using SampleFactory factory = Start(mode, driver);
        foreach (string name in (string[])["Chat", "Echo", "Greeter", "Http2", "Https", "Web"])
        {
            await using Client client = await Client.TcpAsync(factory.EndPoint(name));
            await client.FinishSendingAsync();
            await client.WaitForEndAsync();
        }

        await CheckServiceAsync(factory);
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task Flood_WithoutReading_IsStoppedByBackpressureAndOthersGoOn(LoopBridgeMode mode, LoopDriver driver)
    {
        await using SampleFactory factory = Start(mode, driver);
        using var flood = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await flood.ConnectAsync(factory.EndPoint("Echo"), TestContext.Current.CancellationToken).WithDeadline();
        await using Client other = await Client.TcpAsync(factory.EndPoint("Echo"));

        // What server and kernel hold is bounded, so that the sender's socket takes no more some day; 64 MiB is beyond all of their
        // buffers. A full one is tried again after a round of another connection, and again, until nothing moves.
        byte[] block = new byte[256 * 1024];
        flood.Blocking = false;
        long sent = 0;
        for (int idle = 0; idle < 50;)
        {
            int count = flood.Send(block, SocketFlags.None, out SocketError error);
            Assert.True(error is SocketError.Success or SocketError.WouldBlock, error.ToString());
            sent += count;
            idle = count > 0 ? 0 : idle + 1;
            Assert.True(sent < 64 * 1024 * 1024, "The server takes without end what its peer does not read back.");
            await other.SendAsync(new byte[10]);
            await other.ReceiveAsync(10);
        }

        flood.Dispose();
        await CheckServiceAsync(factory);
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task ChatLine_BeyondTheLimit_IsToldAndClosedInOrder(LoopBridgeMode mode, LoopDriver driver)
    {
        await using SampleFactory factory = Start(mode, driver);
        await using Client client = await Client.TcpAsync(factory.EndPoint("Chat"));

        await client.SendAsync(Encoding.ASCII.GetBytes(new string('a', 1025)));

        Assert.Equal("What is your name?\nYour line is too long. Goodbye.\n", Encoding.UTF8.GetString(await client.ReceiveAllAsync()));
        await CheckServiceAsync(factory);
        AssertLogged(factory, entry => entry.Message.Contains("longer than 1024", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task GreeterName_BeyondTheLimit_IsClosedInOrderWithAReason(LoopBridgeMode mode, LoopDriver driver)
    {
        await using SampleFactory factory = Start(mode, driver, ("Logging:LogLevel:LoopBridge", "Debug"));
        await using Client client = await Client.TcpAsync(factory.EndPoint("Greeter"));

        await client.SendAsync(Encoding.ASCII.GetBytes(new string('a', 300)));

        Assert.Empty(await client.ReceiveAllAsync());
        await CheckServiceAsync(factory);
        AssertLogged(factory, entry => entry.Id.Name == "HandlerEnded" && entry.Message.Contains("256", StringComparison.Ordinal));
    }

    // The client sees the end before the handler knows of it.
    private static void AssertLogged(SampleFactory factory, Func<LogEntry, bool> expected)
        => Assert.True(SpinWait.SpinUntil(() => factory.Logs.Entries.Any(expected), Deadline.Default), string.Join('\n', factory.Logs.Entries));

    private static SampleFactory Start(LoopBridgeMode mode, LoopDriver driver, params (string Key, string Value)[] further)
        => SampleFactory.OnKestrel([("LoopBridge:Mode", mode.ToString()), ("LoopBridge:Driver", driver.ToString()), .. further]);

    private static async Task CheckServiceAsync(SampleFactory factory)
    {
        using HttpClient http = factory.ClientOf("Web", HttpVersion.Version11);
        Assert.Equal("Hello, World!", await http.GetStringAsync(new Uri("/plaintext", UriKind.Relative),
            TestContext.Current.CancellationToken).WithDeadline());
        await using Client echo = await Client.TcpAsync(factory.EndPoint("Echo"));
        await echo.SendAsync(new byte[10]);
        await echo.ReceiveAsync(10);
        Assert.Empty(factory.Logs.AtLeast(LogLevel.Error));
    }
}
