using LoopBridge.Loops;
using LoopBridge.Manual;
using LoopBridge.Streams;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Streams;

namespace LoopBridge.Transport.Tests.Manual;

/// <summary>The same streams on loops that run by themselves.</summary>
public sealed class MemoryStreamAnyLoopTests : LoopContract
{
    [Theory, LoopStacks]
    public async Task CreateStreamPair_CarriesBytesAndEnd(LoopStack stack)
    {
        byte[] noise = StreamTestData.Noise(100_000);
        byte[] received = await StartLoop(stack).RunAsync(async loop =>
        {
            var options = new MemoryStreamOptions { Capacity = 5000, PieceSizes = [1, 700, 4096] };
            (LoopStream client, LoopStream server) = loop.CreateStreamPair(options);
            Task writing = client.Send(noise);
            Task<byte[]> reading = server.ReadUntilCloseAsync().AsTask();
            await writing;
            await client.CloseAsync();
            return await reading;
        });
        Assert.Equal(noise, received);
    }

    [Theory, LoopStacks]
    public void CreateStreamPair_OffTheLoop_Throws(LoopStack stack)
    {
        IEventLoop loop = StartLoop(stack).Loop;
        Assert.IsType<InvalidOperationException>(Record.Exception(() => { _ = loop.CreateStreamPair(); }));
    }

    [Theory, LoopStacks]
    public async Task CreateStreamPair_LoopClosedUnderThem_EndsThem(LoopStack stack)
    {
        var thread = StartLoop(stack);
        (LoopStream client, Task<int> read) = await thread.RunAsync(loop =>
        {
            (LoopStream first, LoopStream second) = loop.CreateStreamPair();
            return Task.FromResult((first, second.Receive(new byte[1])));
        });
        thread.Stop();
        thread.Loop.Dispose();
        Assert.True(client.IsClosed);
        await Assert.ThrowsAsync<StreamClosedException>(() => read.WithDeadline());
    }
}
