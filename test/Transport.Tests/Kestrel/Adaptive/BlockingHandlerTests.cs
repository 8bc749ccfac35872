using System.Net;
using System.Net.Sockets;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LoopBridge.Transport.Tests.Kestrel.Adaptive;

/// <summary>Handlers that block hold up nobody else, though all are on one loop.</summary>
public sealed class BlockingHandlerTests : IDisposable
{
    private readonly SemaphoreSlim _entered = new(0);
    private readonly ManualResetEventSlim _released = new();
    private int _blocked;

    /// <summary>Where handlers may block: modes, drivers and the schedulings that let them.</summary>
    public static TheoryData<LoopBridgeMode, LoopDriver, LoopScheduling> MayBlock
        => [.. Cases.All.Where(row => row.Data.Item3 != LoopScheduling.Inline)];

    public void Dispose()
    {
        _entered.Dispose();
        _released.Dispose();
    }

    [Theory, MemberData(nameof(MayBlock))]
    [Contract("K-78")]
    public async Task Handler_ThatWaitsForAnotherRequest_IsReleasedByIt(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling);
        using HttpClient client = HttpClients.Create();
        Task<string> waiting = client.GetTextAsync(new Uri(server.Addresses[0], "block"));
        await EnteredAsync(1);
        Assert.Equal("done", await client.GetTextAsync(new Uri(server.Addresses[0], "release")));
        Assert.Equal("released", await waiting.WithDeadline());
    }

    [Theory, MemberData(nameof(MayBlock))]
    [Contract("K-78"), Contract("K-93")]
    public async Task HttpsHandler_ThatWaitsForAnotherRequest_IsReleasedByIt(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling, tls: true);
        using HttpClient client = HttpClients.Create();
        foreach (Version version in (Version[])[HttpVersion.Version11, HttpVersion.Version20])
        {
            _released.Reset();
            Task<string> waiting = client.GetTextAsync(new Uri(server.Addresses[0], "block"), version);
            await EnteredAsync(1);
            Assert.Equal("done", await client.GetTextAsync(new Uri(server.Addresses[0], "release"), version));
            Assert.Equal("released", await waiting.WithDeadline());
        }
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-78")]
    public async Task EightHandlersBlocked_OldAndNewConnections_AreAnswered(LoopBridgeMode mode, LoopDriver driver)
    {
        const int Blockers = 8;
        await using LoopBridgeServer server = await StartAsync(mode, driver, LoopScheduling.Adaptive);
        using Socket before = TransportHost.Dial(server.EndPoint());
        await PlaintextAsync(before);
        using HttpClient client = HttpClients.Create();
        Task<string>[] blocked = [.. Enumerable.Range(0, Blockers).Select(_ => client.GetTextAsync(new Uri(server.Addresses[0], "block")))];
        await EnteredAsync(Blockers);

        await PlaintextAsync(before);
        for (int i = 0; i < 20; i++)
        {
            using Socket meanwhile = TransportHost.Dial(server.EndPoint());
            await PlaintextAsync(meanwhile);
        }

        Assert.Equal(Blockers, Volatile.Read(ref _blocked)); // all the time
        _released.Set();
        Assert.All(await Task.WhenAll(blocked).WithDeadline(), answer => Assert.Equal("released", answer));
        await PlaintextAsync(before);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-78")]
    public async Task HandlersBlocked_MoreThanThereMayBeThreads_WaitAndAreAnswered(LoopBridgeMode mode, LoopDriver driver)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, LoopScheduling.Adaptive, maxWorkerThreads: 1);
        using HttpClient client = HttpClients.Create();
        Task<string> taken = client.GetTextAsync(new Uri(server.Addresses[0], "block"));
        await EnteredAsync(1);
        using Socket other = TransportHost.Dial(server.EndPoint());
        await PlaintextAsync(other);

        // The one thread that there may be beside the loop's is busy: the next one keeps the loop, and the log says so.
        Task<string> kept = client.GetTextAsync(new Uri(server.Addresses[0], "block"));
        await EnteredAsync(1);
        PipeExtensions.Eventually(() => server.Logs.Entries.Any(entry => entry.Id.Name == "NoSpareThread"), "Nothing was logged.");
        _released.Set();
        Assert.All(await Task.WhenAll(taken, kept).WithDeadline(), answer => Assert.Equal("released", answer));
        await PlaintextAsync(other);
    }

    [Theory, MemberData(nameof(MayBlock))]
    [Contract("K-78"), Contract("K-32")]
    public async Task Stop_WhileHandlersBlock_TheirAnswersArrive(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        LoopBridgeServer server = await StartAsync(mode, driver, scheduling);
        using HttpClient client = HttpClients.Create();
        Task<string>[] blocked = [.. Enumerable.Range(0, 3).Select(_ => client.GetTextAsync(new Uri(server.Addresses[0], "block")))];
        await EnteredAsync(3);
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        server.App.Lifetime.ApplicationStopping.Register(stopping.SetResult);
        Task stop = server.DisposeAsync().AsTask();
        await stopping.Task.WithDeadline();
        Assert.False(stop.IsCompleted);
        _released.Set();
        Assert.All(await Task.WhenAll(blocked).WithDeadline(), answer => Assert.Equal("released", answer));
        await stop.WithDeadline();
    }

    [Theory, MemberData(nameof(MayBlock))]
    [Contract("K-32"), Contract("K-35")]
    public async Task Stop_WithoutPatience_LeavesABlockedHandlerBehind(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        LoopBridgeServer server = await StartAsync(mode, driver, scheduling);
        using Socket client = TransportHost.Dial(server.EndPoint());
        await client.SendTextAsync("GET /block HTTP/1.1\r\nHost: x\r\n\r\n");
        await EnteredAsync(1);
        await server.App.StopAsync(new CancellationToken(canceled: true)).WithDeadline();
        await server.DisposeAsync().AsTask().WithDeadline(); // the loop ends without its guest
        Assert.Equal(1, Volatile.Read(ref _blocked));
        _released.Set();
        PipeExtensions.Eventually(() => Volatile.Read(ref _blocked) == 0, "The handler did not end.");
    }

    private async Task EnteredAsync(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Assert.True(await _entered.WaitAsync(Deadline.Default, TestContext.Current.CancellationToken), $"{i} handlers of {count} were entered.");
        }
    }

    private static async Task PlaintextAsync(Socket client)
    {
        await client.SendTextAsync("GET /plaintext HTTP/1.1\r\nHost: x\r\n\r\n");
        await client.ReceiveUntilAsync("hello\r\n0\r\n\r\n");
    }

    private Task<LoopBridgeServer> StartAsync(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling, bool tls = false, int? maxWorkerThreads = null)
        => OneLoopServer.StartAsync(
            mode,
            driver,
            scheduling,
            app =>
            {
                app.MapGet("/plaintext", () => "hello");
                app.MapGet("/block", Block);
                app.MapGet("/release", () =>
                {
                    _released.Set();
                    return "done";
                });
            },
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = tls ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http1;
                if (tls)
                {
                    listen.UseHttps(HttpClients.Certificate);
                }
            }),
            maxWorkerThreads: maxWorkerThreads);

    private string Block()
    {
        Interlocked.Increment(ref _blocked);
        _entered.Release();
        bool released = _released.Wait(Deadline.Default);
        Interlocked.Decrement(ref _blocked);
        return released ? "released" : "given up";
    }
}
