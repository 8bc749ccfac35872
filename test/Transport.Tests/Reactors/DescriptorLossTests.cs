using System.IO.Pipes;
using LoopBridge.Drivers;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>How a descriptor ends, over real sockets and pipes.</summary>
public sealed class DescriptorLossTests
{
    public static TheoryData<LoopDriver> Drivers => ReactorDrivers.All;

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-17"), Contract("R-FD-21")]
    public async Task Dispatch_PeerSentAndClosed_DrainsBeforeLoss(LoopDriver driver)
    {
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        var received = new List<byte>();
        var reader = new TestDescriptor(pair.Ours.SafeHandle) { OnRead = () => pair.Drain(received) };

        pair.Theirs.Send(new byte[100]);
        pair.Theirs.Close();
        await harness.On(() => harness.Reactor.AddReader(reader));

        Assert.IsType<ConnectionDoneException>(await reader.Lost.Task.WithDeadline());
        await harness.Turn();
        Assert.Equal(100, received.Count);
        Assert.Single(reader.Losses);
        Assert.Empty(await harness.On(harness.Reactor.GetReaders));
    }

    [Fact]
    [Contract("R-FD-17"), Contract("R-FD-18")]
    public async Task Dispatch_PipeHangsUp_DrainsThenReaderSeesCleanClose()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Pipes are watched by the epoll driver only.");
        using var write = new AnonymousPipeServerStream(PipeDirection.Out);
        using var read = new AnonymousPipeClientStream(PipeDirection.In, write.ClientSafePipeHandle);
        await using var harness = new ReactorHarness(LoopDriver.Epoll);
        int received = 0;
        var reader = new TestDescriptor(read.SafePipeHandle);
        reader.OnRead = () =>
        {
            received += read.Read(new byte[16]);
            return null;
        };

        write.Write(new byte[40]);
        write.Dispose();
        await harness.On(() => harness.Reactor.AddReader(reader));

        Assert.IsType<ConnectionDoneException>(await reader.Lost.Task.WithDeadline());
        Assert.Equal(40, received);
        Assert.Equal(3, reader.Reads);
    }

    [Fact]
    [Contract("R-FD-18")]
    public async Task Dispatch_PipeReaderIsGone_WriterIsLost()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Pipes are watched by the epoll driver only.");
        using var write = new AnonymousPipeServerStream(PipeDirection.Out);
        await using var harness = new ReactorHarness(LoopDriver.Epoll);
        var writer = new TestDescriptor(write.SafePipeHandle);

        write.DisposeLocalCopyOfClientHandle();
        await harness.On(() => harness.Reactor.AddWriter(writer));

        Assert.IsType<ConnectionLostException>(await writer.Lost.Task.WithDeadline());
        Assert.Equal(0, writer.Writes);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-19")]
    public async Task Dispatch_HalfCloseableReachesEnd_LosesReaderOnly(LoopDriver driver)
    {
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var descriptor = new HalfCloseTestDescriptor(pair.Ours.SafeHandle) { OnRead = () => pair.Drain() };
        descriptor.OnWrite = () =>
        {
            if (descriptor.ReadLosses.Count == 1)
            {
                harness.Reactor.RemoveWriter(descriptor);
                written.SetResult();
            }

            return null;
        };

        await harness.On(() =>
        {
            harness.Reactor.AddReader(descriptor);
            harness.Reactor.AddWriter(descriptor);
        });
        pair.Theirs.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        await written.Task.WithDeadline();

        Assert.IsType<ConnectionDoneException>(Assert.Single(descriptor.ReadLosses));
        Assert.Empty(descriptor.Losses);
        Assert.Empty(await harness.On(harness.Reactor.RemoveAll));
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-19"), Contract("R-FD-21")]
    public async Task Dispatch_HalfCloseableWithOtherReason_LosesBoth(LoopDriver driver)
    {
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        var reason = new ConnectionLostException("no more");
        var descriptor = new HalfCloseTestDescriptor(pair.Ours.SafeHandle) { OnRead = () => reason };

        await harness.On(() =>
        {
            harness.Reactor.AddReader(descriptor);
            harness.Reactor.AddWriter(descriptor);
        });
        pair.Theirs.Send(new byte[1]);

        Assert.Same(reason, await descriptor.Lost.Task.WithDeadline());
        await harness.Turn();
        Assert.Empty(descriptor.ReadLosses);
        Assert.Single(descriptor.Losses);
        Assert.Empty(await harness.On(harness.Reactor.RemoveAll));
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-20"), Contract("R-INV-02")]
    public async Task Dispatch_MethodThrows_IsReportedOnceAndLost(LoopDriver driver)
    {
        using var pair = new SocketPair();
        using var other = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        var error = new InvalidDataException();
        var reader = new TestDescriptor(pair.Ours.SafeHandle) { OnRead = () => throw error };
        var writer = new TestDescriptor(other.Ours.SafeHandle)
        {
            OnWrite = () => throw error,
            OnLost = _ => throw new TimeoutException(),
        };

        await harness.On(() =>
        {
            harness.Reactor.AddReader(reader);
            harness.Reactor.AddWriter(reader);
            harness.Reactor.AddWriter(writer);
        });
        pair.Theirs.Send(new byte[1]);

        Assert.Same(error, await reader.Lost.Task.WithDeadline());
        Assert.Same(error, await writer.Lost.Task.WithDeadline());
        await harness.Turn();
        Exception[] errors = harness.TakeErrors();
        Assert.Equal(3, errors.Length);
        Assert.Equal(2, errors.Count(e => e == error));
        Assert.Single(errors.OfType<TimeoutException>());
        Assert.Empty(await harness.On(harness.Reactor.RemoveAll));
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-24")]
    public async Task Dispatch_DifferentReaderAndWriter_LossTellsBothOnce(LoopDriver driver)
    {
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        var reader = new TestDescriptor(pair.Ours.SafeHandle) { OnRead = () => pair.Drain() };
        var writer = new TestDescriptor(pair.Ours.SafeHandle);

        await harness.On(() =>
        {
            harness.Reactor.AddReader(reader);
            harness.Reactor.AddWriter(writer);
        });
        pair.Theirs.Close();

        Exception reason = await reader.Lost.Task.WithDeadline();
        Assert.Same(reason, await writer.Lost.Task.WithDeadline());
        await harness.Turn();
        Assert.Single(reader.Losses);
        Assert.Single(writer.Losses);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-INV-03")]
    public async Task Dispatch_LossWhileShutdownInsideRead_IsToldOnce(LoopDriver driver)
    {
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        var reader = new TestDescriptor(pair.Ours.SafeHandle);
        reader.OnRead = () =>
        {
            harness.Reactor.FireSystemEvent(SystemEvents.Shutdown);
            return new ConnectionDoneException();
        };

        await harness.On(() => harness.Reactor.AddReader(reader));
        pair.Theirs.Send(new byte[1]);

        Assert.IsType<ConnectionLostException>(await reader.Lost.Task.WithDeadline());
        await harness.Turn();
        Assert.Single(reader.Losses);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-10"), Contract("R-FD-10")]
    public async Task Shutdown_RegisteredDescriptors_AreLostOnceEach(LoopDriver driver)
    {
        using var first = new SocketPair();
        using var second = new SocketPair();
        using var loops = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        var both = new TestDescriptor(first.Ours.SafeHandle) { OnLost = _ => throw new InvalidDataException() };
        var other = new TestDescriptor(second.Ours.SafeHandle);
        var loopRead = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await harness.On(() =>
        {
            harness.Reactor.AddReader(both);
            harness.Reactor.AddWriter(both);
            harness.Reactor.AddReader(other);
            harness.Loop.AddHandler(loops.Ours.SafeHandle, IoEvents.Read, (handle, _) =>
            {
                harness.Loop.RemoveHandler(handle);
                loopRead.SetResult();
            });
        });
        await harness.Turn();

        await harness.On(harness.Reactor.Stop);
        await harness.Turn();
        loops.Theirs.Send(new byte[1]); // the loop's own handler is nobody's to disconnect

        await loopRead.Task.WithDeadline();
        Assert.IsType<ConnectionLostException>(Assert.Single(both.Losses));
        Assert.IsType<ConnectionLostException>(Assert.Single(other.Losses));
        Assert.IsType<InvalidDataException>(Assert.Single(harness.TakeErrors()));
        Assert.Empty(await harness.On(harness.Reactor.RemoveAll));
    }
}
