using LoopBridge.Manual;
using LoopBridge.Streams;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Streams;

namespace LoopBridge.Transport.Tests.Manual;

/// <summary>The same streams on loops that run by themselves.</summary>
public sealed class MemoryStreamAnyLoopTests
{
    [Theory]
    [InlineData(LoopDriver.Auto)]
    [InlineData(LoopDriver.Managed)]
    public async Task CreateStreamPair_NativeLoop_CarriesBytesAndEnd(LoopDriver driver)
    {
        using var thread = new LoopThread(driver);
        byte[] noise = StreamTestData.Noise(100_000);
        byte[] received = await thread.RunAsync(async () =>
        {
            var options = new MemoryStreamOptions { Capacity = 5000, PieceSizes = [1, 700, 4096] };
            (LoopStream client, LoopStream server) = thread.Loop.CreateStreamPair(options);
            ValueTask writing = client.WriteAsync(noise);
            Task<byte[]> reading = server.ReadUntilCloseAsync().AsTask();
            await writing;
            await client.CloseAsync();
            return await reading;
        }).WithDeadline();
        Assert.Equal(noise, received);
        Assert.Empty(thread.Escaped);
    }

    [Fact]
    public void CreateStreamPair_OffTheLoop_Throws()
    {
        using var thread = new LoopThread(LoopDriver.Auto);
        Assert.Throws<InvalidOperationException>(() => thread.Loop.CreateStreamPair());
    }

    [Fact]
    public async Task CreateStreamPair_LoopClosedUnderThem_EndsThem()
    {
        LoopStream client;
        Task<int> read;
        using (var thread = new LoopThread(LoopDriver.Auto))
        {
            (client, read) = await thread.RunAsync(() =>
            {
                (LoopStream first, LoopStream second) = thread.Loop.CreateStreamPair();
                return Task.FromResult((first, second.ReadAsync(new byte[1]).AsTask()));
            }).WithDeadline();
        }

        Assert.True(client.IsClosed);
        await Assert.ThrowsAsync<StreamClosedException>(() => read.WithDeadline());
    }
}
