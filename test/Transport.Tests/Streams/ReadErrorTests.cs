using System.Net.Sockets;
using LoopBridge.Streams;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Sockets;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>
/// Errors that are no ordinary close: the descriptor under the stream is made to be that of a file, which the system answers with ENOTSOCK.
/// </summary>
public sealed class ReadErrorTests : StreamContract
{
    [Theory, LoopStacks]
    [Contract("L-STR-20")]
    public Task ReadExactlyAsync_ErrorMetInTheCall_IsThrownFromItAndClosesTheStream(LoopStack stack)
        => WithBrokenDescriptor(stack, stream => Assert.Throws<StreamClosedException>(() => { _ = stream.ReadExactlyAsync(new byte[100_000]); }));

    [Theory, LoopStacks]
    [Contract("L-STR-19")]
    public async Task ReadUntilCloseAsync_ErrorMetInTheCall_IsThrownFromItAndNotReportedAgain(LoopStack stack)
    {
        var unobserved = new List<Exception>();
        EventHandler<UnobservedTaskExceptionEventArgs> note = (_, e) => unobserved.Add(e.Exception);
        TaskScheduler.UnobservedTaskException += note;
        Exception? mine = null;
        await WithBrokenDescriptor(stack, stream =>
        {
            StreamClosedException closed = Assert.Throws<StreamClosedException>(() => { _ = stream.ReadUntilCloseAsync(); });
            mine = closed.InnerException;
            return closed;
        });
        GC.Collect();
        GC.WaitForPendingFinalizers();
        TaskScheduler.UnobservedTaskException -= note;
        Assert.DoesNotContain(unobserved, e => e.InnerException?.InnerException == mine); // of other tests there may be some
    }

    [Theory, LoopStacks]
    [Contract("L-STR-21")]
    public async Task ReadUntilAsync_ErrorMetLater_IsLoggedOnceAsAWarning(LoopStack stack)
    {
        SkipUnless(OperatingSystem.IsLinux(), "puts a file in the place of the descriptor");
        (Socket near, Socket far) = await SocketPairs.ConnectAsync();
        using Socket peer = far;
        string identity = SocketPairs.Identity(near);
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopStream stream = LoopStream.FromSocket(loop, near, new LoopStreamOptions { Logger = StreamLogger });
            int closes = 0;
            stream.OnClosed(_ => closes++);
            ValueTask<byte[]> read = stream.ReadUntilAsync(StreamTestData.NewLine);
            using (BrokenDescriptor.Break(SocketPairs.DescriptorOf(identity)))
            {
                await peer.SendAsync("news\n".Bytes()); // epoll still watches the socket, by the copy of its descriptor
                StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => read.AsTask());
                Assert.IsType<SocketException>(closed.InnerException);
                await StreamLink.UntilAsync(() => closes > 0);
                Assert.Equal(1, closes);
            }
        });
        Assert.Equal(602, Log.TakeSingle(LogLevel.Warning).Id.Id);
    }

    private async Task WithBrokenDescriptor(LoopStack stack, Func<LoopStream, StreamClosedException> read)
    {
        SkipUnless(OperatingSystem.IsLinux(), "puts a file in the place of the descriptor");
        (Socket near, Socket far) = await SocketPairs.ConnectAsync();
        using Socket peer = far;
        string identity = SocketPairs.Identity(near);
        await StartLoop(stack).RunAsync(async loop =>
        {
            await peer.SendAsync(new byte[50_000]);
            Assert.True(SpinWait.SpinUntil(() => near.Available == 50_000, Deadline.Default));
            LoopStream stream = LoopStream.FromSocket(loop, near, new LoopStreamOptions { Logger = StreamLogger });
            await stream.ReadExactlyAsync(new byte[10]); // from here on the stream may receive without waiting for a report
            using (BrokenDescriptor.Break(SocketPairs.DescriptorOf(identity)))
            {
                StreamClosedException closed = read(stream);
                Assert.IsType<SocketException>(closed.InnerException);
                Assert.Same(closed.InnerException, stream.Error);
                Assert.True(stream.IsClosed);
                int closes = 0;
                stream.OnClosed(_ => closes++);
                await StreamLink.UntilAsync(() => closes > 0);
            }
        });
        Assert.Empty(Log.AtLeast(LogLevel.Information));
    }

    /// <summary>Keeps a copy of the true descriptor, so that whoever watches it is not told of its end.</summary>
    private sealed class BrokenDescriptor : IDisposable
    {
        private readonly int _copy;

        private BrokenDescriptor(int copy) => _copy = copy;

        internal static BrokenDescriptor Break(int descriptor)
        {
            var broken = new BrokenDescriptor(LibCalls.Duplicate(descriptor));
            using FileStream file = File.OpenRead("/dev/null");
            Assert.NotEqual(-1, LibCalls.DuplicateOnto((int)file.SafeFileHandle.DangerousGetHandle(), descriptor));
            return broken;
        }

        public void Dispose() => LibCalls.Close(_copy);
    }
}
