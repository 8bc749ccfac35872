using System.Net.Sockets;
using System.Runtime.InteropServices;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LoopBridge.Transport.Tests.Kestrel.Adaptive;

/// <summary>What a run flushes leaves together, and never waits for a handler that blocks.</summary>
public sealed class HeldFlushTests
{
    // tcp(7): struct tcp_info, tcpi_data_segs_in.
    private const int TcpLevel = 6;
    private const int TcpInfo = 11;
    private const int DataSegmentsIn = 152;

    [Theory]
    [MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-63")]
    public async Task PipelinedRequests_OfOnePacket_AreAnsweredInOne(LoopBridgeMode mode, LoopDriver driver)
    {
        const int Requests = 16;
        const string Request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        const string End = "hello\r\n0\r\n\r\n";
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux tells of segments.");
        await using LoopBridgeServer server = await OneLoopServer.StartAsync(
            mode, driver, LoopScheduling.Adaptive, app => app.MapGet("/", () => "hello"), overstayLimit: TimeSpan.FromSeconds(20));
        using Socket client = TransportHost.Dial(server.EndPoint());
        await client.SendTextAsync(Request);
        string first = await client.ReceiveUntilAsync(End);
        int before = SegmentsReceived(client);

        await client.SendTextAsync(string.Concat(Enumerable.Repeat(Request, Requests)));
        await client.ReceiveExactlyAsync(Requests * first.Length);
        Assert.Equal(1, SegmentsReceived(client) - before);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-78")]
    public async Task FlushedBytes_OfAHandlerThatBlocks_ArriveWhileItDoes(LoopBridgeMode mode, LoopDriver driver)
    {
        using var gate = new SemaphoreSlim(0);
        await using LoopBridgeServer server = await OneLoopServer.StartAsync(
            mode,
            driver,
            LoopScheduling.Adaptive,
            app => app.MapGet("/", async context =>
            {
                foreach (string part in (string[])["one", "two", "three"])
                {
                    await context.Response.WriteAsync(part, CancellationToken.None);
                    await context.Response.Body.FlushAsync(CancellationToken.None);
                    Assert.True(gate.Wait(Deadline.Default, CancellationToken.None));
                }
            }));
        using Socket client = TransportHost.Dial(server.EndPoint());

        // The first time its loop goes on without it after the first part; the second time it is on a worker.
        for (int i = 0; i < 2; i++)
        {
            await client.SendTextAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            foreach (string part in (string[])["\r\none\r\n", "\r\ntwo\r\n", "\r\nthree\r\n"])
            {
                await client.ReceiveUntilAsync(part);
                gate.Release();
            }

            await client.ReceiveUntilAsync("0\r\n\r\n");
        }
    }

    // The answers to what came before must not wait for it either.
    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-78")]
    public async Task PipelinedRequest_ThatBlocks_DoesNotHoldTheAnswersBeforeIt(LoopBridgeMode mode, LoopDriver driver)
    {
        using var gate = new ManualResetEventSlim();
        await using LoopBridgeServer server = await OneLoopServer.StartAsync(
            mode,
            driver,
            LoopScheduling.Adaptive,
            app =>
            {
                app.MapGet("/", () => "hello");
                app.MapGet("/block", () => gate.Wait(Deadline.Default) ? "released" : "given up");
            });
        using Socket client = TransportHost.Dial(server.EndPoint());
        await client.SendTextAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /block HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
        await client.ReceiveUntilAsync("hello\r\n0\r\n\r\n");
        gate.Set();
        string rest = await client.ReceiveUntilAsync("hello\r\n0\r\n\r\n");
        Assert.Contains("released", rest, StringComparison.Ordinal);
    }

    private static int SegmentsReceived(Socket client)
    {
        byte[] info = new byte[256];
        int length = client.GetRawSocketOption(TcpLevel, TcpInfo, info);
        Assert.SkipUnless(length >= DataSegmentsIn + sizeof(int), "This system does not tell of segments.");
        return MemoryMarshal.Read<int>(info.AsSpan(DataSegmentsIn));
    }
}
