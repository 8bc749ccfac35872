using System.Net.Sockets;
using LoopBridge.Streams;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>What peers and networks do every day counts as close, and nobody needs to be woken for it.</summary>
public sealed class OrdinaryEndTests : StreamContract
{
    // <linux/tcp.h>: how long what was sent may stay unacknowledged, in milliseconds.
    private const int TcpUserTimeout = 18;

    [Theory, LoopStacks(false, true)]
    [Contract("L-STR-23"), Contract("L-STR-34")]
    public async Task Stream_PeerResets_ClosesWithNothingLoggedAboveDebug(LoopStack stack, bool whileWriting)
    {
        await using StreamLink link = await OpenAsync(stack);
        await link.OnLoop(async stream =>
        {
            Task pending = whileWriting
                ? stream.WriteAsync(new byte[StreamLink.MoreThanBuffersHold]).AsTask()
                : stream.ReadAsync(new byte[1]).AsTask();
            await Task.Yield();
            link.Reset();
            StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => pending);
            Assert.NotNull(closed.InnerException);
            Assert.Same(closed.InnerException, stream.Error);
            await stream.CloseAsync();
        });
        Assert.Empty(Log.AtLeast(LogLevel.Information));
    }

    [Theory, LoopStacks]
    [Contract("L-STR-23")]
    public async Task Stream_WritesIntoAConnectionThatIsGone_ClosesWithNothingLoggedAboveDebug(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack);
        await link.OnLoop(async stream =>
        {
            await link.Peer.DisposeAsync(); // an orderly end, which nobody reads here; the first write is answered with a reset
            await Assert.ThrowsAsync<StreamClosedException>(async () =>
            {
                while (true)
                {
                    await stream.WriteAsync(new byte[1000]);
                    await stream.FlushAsync();
                }
            });
            Assert.True(stream.IsClosed);
        });
        Assert.Empty(Log.AtLeast(LogLevel.Information));
    }

    [Theory, LoopStacks]
    [Contract("L-STR-23")]
    public async Task Stream_TimedOutBySystem_ClosesWithNothingLoggedAboveDebug(LoopStack stack)
    {
        SkipUnless(OperatingSystem.IsLinux(), "TCP_USER_TIMEOUT is Linux's");
        (Socket near, Socket far) = await SocketPairs.ConnectAsync();
        using Socket peer = far;
        near.SetRawSocketOption((int)SocketOptionLevel.Tcp, TcpUserTimeout, BitConverter.GetBytes(50));
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopStream stream = LoopStream.FromSocket(loop, near, new LoopStreamOptions { Logger = StreamLogger });
            Task write = stream.WriteAsync(new byte[StreamLink.MoreThanBuffersHold]).AsTask(); // the peer never reads
            StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => write);
            Assert.Equal(SocketError.TimedOut, Assert.IsType<SocketException>(closed.InnerException).SocketErrorCode);
        });
        Assert.Empty(Log.AtLeast(LogLevel.Information));
    }
}
