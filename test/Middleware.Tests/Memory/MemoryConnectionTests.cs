using LoopBridge.Middleware.Tests.Handlers;
using LoopBridge.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace LoopBridge.Middleware.Tests.Memory;

/// <summary>Connections without sockets: how they are found, and how they end.</summary>
public sealed class MemoryConnectionTests
{
    [Theory]
    [InlineData("Probe", LoopBridgeMode.ReactorOnLoop)]
    [InlineData("probe", LoopBridgeMode.ReactorOnLoop)]
    [InlineData("ProbeHandler", LoopBridgeMode.ReactorOnLoop)]
    [InlineData("Probe", LoopBridgeMode.LoopOnReactor)]
    [InlineData("ProbeHandler", LoopBridgeMode.LoopOnReactor)]
    public async Task Connect_ByName_FindsTheHandler(string name, LoopBridgeMode mode)
    {
        await using HandlerServer server = await HandlerServer.StartAsync(Carrier.Memory, Style.Reactor, mode, LoopDriver.Auto);
        await using Client client = Client.Memory(server.Server.Services.Connect(name));

        await client.SendAsync(new byte[] { 42 });

        Assert.Equal([42], await client.ReceiveAsync(1));
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task Connect_ToAnUnknownName_ListsWhatIsRegistered(LoopBridgeMode mode)
    {
        await using HandlerServer server = await HandlerServer.StartAsync(Carrier.Memory, Style.Reactor, mode, LoopDriver.Auto);

        InvalidOperationException byName = Assert.Throws<InvalidOperationException>(() => server.Server.Services.Connect("Prob"));
        InvalidOperationException byType = Assert.Throws<InvalidOperationException>(() => server.Server.Services.Connect<MemoryConnectionTests>());

        Assert.Contains("'Prob'", byName.Message, StringComparison.Ordinal);
        Assert.Contains("Probe, ProbeHandler", byName.Message, StringComparison.Ordinal);
        Assert.Contains("'MemoryConnectionTests'", byType.Message, StringComparison.Ordinal);
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task Dispose_OfTheClient_WaitsForTheHandlerAndItsScope(LoopBridgeMode mode)
    {
        await using HandlerServer server = await HandlerServer.StartAsync(Carrier.Memory, Style.Reactor, mode, LoopDriver.Auto);
        MemoryConnection connection = server.Server.Services.Connect<ProbeProtocol>();
        ScopedResource resource = await server.Probe.First.WithDeadline();

        await connection.DisposeAsync().WithDeadline();

        Assert.True(connection.Handled.IsCompletedSuccessfully);
        Assert.Equal(1, resource.Disposals);
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task Abort_ManyTimesOver_HarmsNobodyElse(LoopBridgeMode mode)
    {
        // An abort travels over the thread pool; what it finds when it arrives must still be there.
        await using HandlerServer server = await HandlerServer.StartAsync(Carrier.Memory, Style.Reactor, mode, LoopDriver.Auto, Act.Abort);
        for (int i = 0; i < 200; i++)
        {
            MemoryConnection connection = server.Server.Services.Connect<ProbeProtocol>();
            await connection.Output.WriteAsync(new byte[1], TestContext.Current.CancellationToken).WithDeadline();
            await connection.Handled.WithDeadline();
        }
    }
}
