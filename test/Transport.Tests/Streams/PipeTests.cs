using System.Diagnostics;
using LoopBridge.Interop;
using LoopBridge.Loops;
using LoopBridge.Streams;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Sockets;
using Microsoft.Win32.SafeHandles;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class PipeTests : LoopContract
{
    // More than a pipe (64 KiB) and everybody's buffers hold.
    private const int BigWrite = 4 * 1024 * 1024;

    // The runtime's own waiter, which it keeps, must be there before the first leak check.
    static PipeTests() => RuntimeWarmUp.Run();

    [Theory, LoopStacks]
    [Contract("L-STR-50")]
    public async Task CreatePipe_BytesWritten_AreReadInPiecesAndToTheEnd(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            (LoopStream reader, LoopStream writer) = LoopStream.CreatePipe(loop);
            await writer.WriteAsync("line\nmore"u8.ToArray());
            Assert.Equal("line\n", (await reader.ReadUntilAsync("\n"u8.ToArray())).Text());
            Task<byte[]> rest = reader.ReadUntilCloseAsync().AsTask();
            await writer.WriteAsync(" to come"u8.ToArray());
            await writer.CloseAsync();
            Assert.Equal("more to come", (await rest).Text());
            await reader.CloseAsync();
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-50")]
    public async Task WriteAsync_MoreThanThePipeHolds_ArrivesWhole(LoopStack stack)
    {
        byte[] noise = StreamTestData.Noise(BigWrite);
        await StartLoop(stack).RunAsync(async loop =>
        {
            (LoopStream reader, LoopStream writer) = LoopStream.CreatePipe(loop);
            Task write = writer.WriteAsync(noise).AsTask();
            Assert.False(write.IsCompleted);
            byte[] read = new byte[noise.Length];
            await reader.ReadExactlyAsync(read);
            await write;
            Assert.Equal(noise, read);
            await writer.CloseAsync();
            await reader.CloseAsync();
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-50")]
    public async Task WriteAsync_OnALoopWithoutDriver_ArrivesWhole(LoopStack stack)
    {
        byte[] noise = StreamTestData.Noise(BigWrite);
        await StartLoop(stack).RunAsync(async native =>
        {
            var loop = new ForwardingLoop(native);
            (LoopStream reader, LoopStream writer) = LoopStream.CreatePipe(loop);
            Task write = writer.WriteAsync(noise).AsTask();
            byte[] read = new byte[noise.Length];
            await reader.ReadExactlyAsync(read);
            await write;
            Assert.Equal(noise, read);
            await reader.CloseAsync();
            await Assert.ThrowsAsync<StreamClosedException>(() => WriteUntilFailureAsync(writer));
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-50")]
    public async Task WriteAsync_ReaderClosed_ClosesTheWriter(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            (LoopStream reader, LoopStream writer) = LoopStream.CreatePipe(loop);
            Task write = writer.WriteAsync(new byte[BigWrite]).AsTask();
            await reader.CloseAsync();
            await Assert.ThrowsAsync<StreamClosedException>(() => write);
            Assert.True(writer.IsClosed);
            await writer.CloseAsync();
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-50")]
    public async Task Closed_ReaderCloses_FiresOnTheWriter(LoopStack stack)
    {
        SkipUnless(stack.WatchesAnyDescriptor, "without a watch on the pipe a writer notices when it writes");
        await StartLoop(stack).RunAsync(async native =>
        {
            foreach (IEventLoop loop in (IEventLoop[])[native, new ForwardingLoop(native)])
            {
                (LoopStream reader, LoopStream writer) = LoopStream.CreatePipe(loop);
                var closed = new TaskCompletionSource();
                await using CancellationTokenRegistration _ = writer.Closed.Register(closed.SetResult);
                await writer.WriteAsync("x"u8.ToArray());
                await reader.ReadExactlyAsync(new byte[1]);
                await reader.CloseAsync();
                await closed.Task;
                Assert.True(writer.IsClosed);
            }
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-50")]
    public async Task FinishWriting_OnAPipe_IsItsClose(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            (LoopStream reader, LoopStream writer) = LoopStream.CreatePipe(loop);
            await writer.WriteAsync("all"u8.ToArray());
            writer.FinishWriting();
            Assert.Equal("all", (await reader.ReadUntilCloseAsync()).Text());
            await writer.CloseAsync();
            Assert.True(writer.IsClosed);
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-51")]
    public async Task ReadAsync_BadDescriptor_CountsAsClose(LoopStack stack)
    {
        SkipUnless(OperatingSystem.IsLinux(), "makes its descriptors with pipe2");
        await StartLoop(stack).RunAsync(async loop =>
        {
            // read(2): EBADF also means "not open for reading", which needs no number closed behind anybody's back.
            LibC.Pipe(out int readEnd, out int writeEnd).OrThrow("pipe2");
            LoopStream stream = LoopStream.FromPipe(loop, new SafeFileHandle(writeEnd, ownsHandle: true), FileAccess.Read);
            Task<byte[]> read = stream.ReadUntilCloseAsync().AsTask();
            LibC.Close(readEnd).OrThrow("close"); // an error event, which makes the loop try
            Assert.Empty(await read);
            Assert.True(stream.IsClosed);
            await stream.CloseAsync();
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-50")]
    public async Task FromPipe_WrongDirection_ThrowsAndTheStreamGoesOn(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            (LoopStream reader, LoopStream writer) = LoopStream.CreatePipe(loop);
            Assert.True(reader is { CanRead: true, CanWrite: false } && writer is { CanRead: false, CanWrite: true });
            Assert.Throws<NotSupportedException>(() => { _ = reader.WriteAsync(new byte[1]); });
            Assert.Throws<NotSupportedException>(() => { _ = writer.ReadAsync(new byte[1]); });
            await writer.WriteAsync("x"u8.ToArray());
            Assert.Equal(1, await reader.ReadAsync(new byte[8]));
            await writer.CloseAsync();
            await reader.CloseAsync();
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-50")]
    public async Task FromPipe_SocketPairOnEpoll_WorksBothWaysWithHalfClose(LoopStack stack)
    {
        SkipUnless(stack.WatchesAnyDescriptor, "two-way descriptors need a driver that watches them");
        using var pair = Drivers.SocketPair.Unix();
        await StartLoop(stack).RunAsync(async loop =>
        {
            int copy = LibC.Duplicate((int)pair.Near.SafeHandle.DangerousGetHandle(), 0).OrThrow("fcntl");
            pair.Near.Dispose();
            LoopStream stream = LoopStream.FromPipe(loop, new SafeFileHandle(copy, ownsHandle: true), FileAccess.ReadWrite);
            pair.Far.Send("ping"u8);
            await stream.ReadExactlyAsync(new byte[4]);
            await stream.WriteAsync("pong"u8.ToArray());
            await stream.CloseAsync();
            byte[] answer = new byte[8];
            Assert.Equal(4, pair.Far.Receive(answer));
            Assert.Equal(0, pair.Far.Receive(answer));
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-50")]
    public async Task FromPipe_RegularFileOrOffTheLoop_ThrowsAndClosesTheDescriptor(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        await thread.RunAsync(loop =>
        {
            SafeFileHandle file = File.OpenHandle(typeof(PipeTests).Assembly.Location);
            Assert.Throws<IOException>(() => LoopStream.FromPipe(loop, file, FileAccess.Read));
            Assert.True(file.IsClosed);
            return Task.CompletedTask;
        });
        SafeFileHandle other = File.OpenHandle(typeof(PipeTests).Assembly.Location);
        Assert.Throws<InvalidOperationException>(() => LoopStream.FromPipe(thread.Loop, other, FileAccess.Read));
        Assert.True(other.IsClosed);
        Assert.Throws<InvalidOperationException>(() => LoopStream.CreatePipe(thread.Loop));
    }

    [Theory, LoopStacks]
    [Contract("L-STR-50")]
    public async Task Abort_AReadAndAWritePending_EndsBothAndBlocksNothing(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            (LoopStream reader, LoopStream idle) = LoopStream.CreatePipe(loop);
            (LoopStream stuck, LoopStream writer) = LoopStream.CreatePipe(loop);
            Task read = reader.ReadExactlyAsync(new byte[1]).AsTask();
            Task write = writer.WriteAsync(new byte[BigWrite]).AsTask();
            long start = Stopwatch.GetTimestamp();
            reader.Abort();
            writer.Abort();
            await Assert.ThrowsAsync<StreamClosedException>(() => read);
            await Assert.ThrowsAsync<StreamClosedException>(() => write);
            await idle.CloseAsync();
            stuck.Abort();
            await stuck.CloseAsync();
            Assert.True(Stopwatch.GetElapsedTime(start) < Deadline.Default);
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-50")]
    public async Task Dispose_LoopClosedUnderAPipe_LeavesNoDescriptor(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        LoopStream? reader = null;
        await thread.Do(() => (reader, _) = LoopStream.CreatePipe(thread.Loop));
        thread.Stop();
        ((IDisposable)thread.Loop).Dispose();
        Assert.True(reader!.IsClosed);
    }

    private static async Task WriteUntilFailureAsync(LoopStream writer)
    {
        while (true)
        {
            await writer.WriteAsync(new byte[1024]);
            await Task.Yield();
        }
    }
}
