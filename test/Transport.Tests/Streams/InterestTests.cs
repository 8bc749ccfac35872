using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>What a stream asks of a loop of which it knows the public members alone.</summary>
public sealed class InterestTests : StreamContract
{
    [Theory, LoopStacks]
    [Contract("L-STR-33")]
    public async Task WriteAsync_SystemTakesEverything_RegistersNoWriteInterest(LoopStack stack)
        => await OnRecordingLoop(stack, async (loop, stream, peer) =>
        {
            byte[] bytes = new byte[1000];
            for (int i = 0; i < 50; i++)
            {
                await stream.WriteAsync(bytes);
                await stream.FlushAsync();
                await peer.ReadExactlyAsync(bytes);
            }

            Assert.Equal(0, loop.WriteInterests);
        });

    [Theory, LoopStacks]
    [Contract("L-STR-33")]
    public async Task WriteAsync_MoreThanTheSystemTakes_RegistersWriteInterestUntilTheBufferIsEmpty(LoopStack stack)
        => await OnRecordingLoop(stack, async (loop, stream, peer) =>
        {
            Task write = stream.WriteAsync(new byte[StreamLink.MoreThanBuffersHold]).AsTask();
            await StreamLink.UntilAsync(() => (loop.Interest & IoEvents.Write) != 0);
            Assert.True(stream.IsWriting);
            await peer.ReadExactlyAsync(new byte[StreamLink.MoreThanBuffersHold]);
            await write;
            await stream.FlushAsync();
            Assert.Equal(IoEvents.None, loop.Interest & IoEvents.Write);
            int before = loop.WriteInterests;
            await stream.WriteAsync(new byte[10]);
            await stream.FlushAsync();
            Assert.Equal(before, loop.WriteInterests);
        });

    [Theory, LoopStacks]
    [Contract("L-STR-25")]
    public async Task Stream_NoReadPending_DropsTheReadInterest(LoopStack stack)
        => await OnRecordingLoop(stack, async (loop, stream, peer) =>
        {
            Task sending = peer.WriteAsync(new byte[StreamLink.MoreThanBuffersHold]).AsTask();
            await StreamLink.UntilAsync(() => (loop.Interest & IoEvents.Read) == 0);
            for (int turn = 0; turn < 50; turn++)
            {
                await Task.Yield();
                Assert.Equal(IoEvents.None, loop.Interest & IoEvents.Read);
            }

            Assert.Equal(0, stream.Buffered);
            await stream.ReadExactlyAsync(new byte[StreamLink.MoreThanBuffersHold]);
            await sending;
        });

    [Theory, LoopStacks]
    [Contract("L-STR-38")]
    public async Task Close_AnyWay_RemovesTheHandlerBeforeItClosesTheDescriptor(LoopStack stack)
        => await OnRecordingLoop(stack, async (loop, stream, _) =>
        {
            Task read = stream.ReadAsync(new byte[1]).AsTask();
            await Task.Yield();
            Assert.True(loop.IsWatched);
            await stream.CloseAsync();
            Assert.False(loop.IsWatched);
            Assert.True(loop.RemovedInTime);
            await Assert.ThrowsAsync<StreamClosedException>(() => read);
        });

    private async Task OnRecordingLoop(LoopStack stack, Func<HandlerRecordingLoop, LoopStream, NetworkStream, Task> body)
    {
        (Socket near, Socket far) = await SocketPairs.ConnectAsync();
        await using var peer = new NetworkStream(far, ownsSocket: true);
        await StartLoop(stack).RunAsync(async inner =>
        {
            var loop = new HandlerRecordingLoop(inner);
            LoopStream stream = LoopStream.FromSocket(loop, near, new LoopStreamOptions { Logger = StreamLogger });
            await body(loop, stream, peer);
            stream.Abort();
            await stream.CloseAsync();
        });
    }
}
