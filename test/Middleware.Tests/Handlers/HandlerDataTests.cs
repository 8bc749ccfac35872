namespace LoopBridge.Middleware.Tests.Handlers;

/// <summary>Bytes there and back, the same for every carrier and both styles.</summary>
public sealed class HandlerDataTests
{
    [Theory, ClassData(typeof(HandlerCases))]
    public async Task Echo_AFewBytes_ComeBack(Carrier carrier, Style style, LoopBridgeMode mode, LoopDriver driver)
    {
        await using HandlerServer server = await HandlerServer.StartAsync(carrier, style, mode, driver);
        await using Client client = await server.ConnectAsync();

        await client.SendAsync("to and fro"u8.ToArray());

        Assert.Equal("to and fro"u8.ToArray(), await client.ReceiveAsync(10));
    }

    [Theory, ClassData(typeof(HandlerCases))]
    public async Task Echo_FiveMegabytes_ComeBackInOrder(Carrier carrier, Style style, LoopBridgeMode mode, LoopDriver driver)
    {
        byte[] sent = new byte[5 * 1024 * 1024];
        new Random(7).NextBytes(sent);
        await using HandlerServer server = await HandlerServer.StartAsync(carrier, style, mode, driver);
        await using Client client = await server.ConnectAsync();

        Task<byte[]> received = client.ReceiveAsync(sent.Length);
        await client.SendAsync(sent);

        byte[] back = await received;
        Assert.True(back.AsSpan().SequenceEqual(sent), "What came back is not what was sent.");
    }

    [Theory, ClassData(typeof(HandlerCases))]
    public async Task Echo_ByteAtATime_ComesBackInOrder(Carrier carrier, Style style, LoopBridgeMode mode, LoopDriver driver)
    {
        byte[] sent = [.. Enumerable.Range(0, 300).Select(i => (byte)i)];
        await using HandlerServer server = await HandlerServer.StartAsync(carrier, style, mode, driver);
        await using Client client = await server.ConnectAsync();

        Task<byte[]> received = client.ReceiveAsync(sent.Length);
        for (int i = 0; i < sent.Length; i++)
        {
            await client.SendAsync(sent.AsMemory(i, 1));
        }

        Assert.Equal(sent, await received);
    }

    [Theory, ClassData(typeof(HandlerCases))]
    public async Task HalfClose_AfterSending_AnswersStillArriveAndThenTheEnd(
        Carrier carrier, Style style, LoopBridgeMode mode, LoopDriver driver)
    {
        byte[] sent = new byte[50_000];
        new Random(9).NextBytes(sent);
        await using HandlerServer server = await HandlerServer.StartAsync(carrier, style, mode, driver);
        await using Client client = await server.ConnectAsync();

        await client.SendAsync(sent);
        await client.FinishSendingAsync();

        Assert.Equal(sent, await client.ReceiveAllAsync());
    }

    [Theory, ClassData(typeof(HandlerCases))]
    public async Task Placement_OfTheHandler_IsOnTheSocketOnlyIfNothingStandsBetween(
        Carrier carrier, Style style, LoopBridgeMode mode, LoopDriver driver)
    {
        await using HandlerServer server = await HandlerServer.StartAsync(carrier, style, mode, driver);
        await using Client client = await server.ConnectAsync();
        await client.SendAsync(new byte[1]);
        await client.ReceiveAsync(1);

        Assert.Equal(carrier == Carrier.Socket ? 1 : 0, server.Probe.TakeOvers);
    }
}
