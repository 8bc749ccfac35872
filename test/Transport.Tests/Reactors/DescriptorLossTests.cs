using System.IO.Pipes;
using System.Net;
using System.Net.Sockets;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>How a descriptor ends, over real sockets and pipes.</summary>
public sealed class DescriptorLossTests : ReactorContract
{
    private const string NeedsPipes = "the managed driver watches sockets only";

    [Theory, ReactorStacks]
    [Contract("R-FD-17"), Contract("R-FD-21")]
    public async Task Dispatch_PeerSentAndClosed_DrainsBeforeLoss(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var received = new List<byte>();
        var reader = new TestDescriptor(pair.Ours.SafeHandle) { OnRead = () => pair.Drain(received) };

        pair.Theirs.Send(new byte[100]);
        pair.Theirs.Close();
        await thread.Do(() => thread.Reactor.AddReader(reader));

        Assert.IsType<ConnectionDoneException>(await reader.Lost.Task.WithDeadline());
        await thread.Turn();
        Assert.Equal(100, received.Count);
        Assert.Single(reader.Losses);
        Assert.Empty(await thread.Ask(thread.Reactor.GetReaders));
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-17"), Contract("R-FD-18")]
    public async Task Dispatch_PipeHangsUp_DrainsThenReaderSeesCleanClose(ReactorStack stack)
    {
        SkipUnless(stack.WatchesAnyDescriptor, NeedsPipes);
        var write = Own(new AnonymousPipeServerStream(PipeDirection.Out));
        var read = Own(new AnonymousPipeClientStream(PipeDirection.In, write.ClientSafePipeHandle));
        ReactorThread thread = StartReactor(stack);
        int received = 0;
        var reader = new TestDescriptor(read.SafePipeHandle);
        reader.OnRead = () =>
        {
            received += read.Read(new byte[16]);
            return null;
        };

        write.Write(new byte[40]);
        write.Dispose();
        await thread.Do(() => thread.Reactor.AddReader(reader));

        Assert.IsType<ConnectionDoneException>(await reader.Lost.Task.WithDeadline());
        Assert.Equal(40, received);
        Assert.Equal(3, reader.Reads);
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-18")]
    public async Task Dispatch_PipeReaderIsGone_WriterIsLost(ReactorStack stack)
    {
        SkipUnless(stack.WatchesAnyDescriptor, NeedsPipes);
        var write = Own(new AnonymousPipeServerStream(PipeDirection.Out));
        ReactorThread thread = StartReactor(stack);
        var writer = new TestDescriptor(write.SafePipeHandle);

        write.DisposeLocalCopyOfClientHandle();
        await thread.Do(() => thread.Reactor.AddWriter(writer));

        Assert.IsType<ConnectionLostException>(await writer.Lost.Task.WithDeadline());
        Assert.Equal(0, writer.Writes);
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-18")]
    public async Task Dispatch_ErrorAndNothingToRead_ReaderSeesCleanClose(ReactorStack stack)
    {
        // A connected datagram socket whose peer is gone has an error (udp(7): ECONNREFUSED) and nothing else.
        Socket peer = Own(new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        Socket socket = Own(new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        peer.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Connect(peer.LocalEndPoint!);
        ReactorThread thread = StartReactor(stack);
        var reader = new TestDescriptor(socket.SafeHandle);
        await thread.Do(() => thread.Reactor.AddReader(reader));

        peer.Close();
        socket.Send(new byte[1]);

        Assert.IsType<ConnectionDoneException>(await reader.Lost.Task.WithDeadline());
        Assert.Equal(0, reader.Reads);
        Assert.Single(reader.Losses);
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-18")]
    public async Task Dispatch_ConnectionReset_WriterIsLost(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var writer = new TestDescriptor(pair.Ours.SafeHandle);

        pair.Theirs.LingerState = new LingerOption(true, 0);
        pair.Theirs.Close();
        Assert.True(pair.Ours.Poll(Deadline.Default, SelectMode.SelectRead));
        await thread.Do(() => thread.Reactor.AddWriter(writer));

        Assert.IsType<ConnectionLostException>(await writer.Lost.Task.WithDeadline());
        Assert.Equal(0, writer.Writes);
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-19")]
    public async Task Dispatch_HalfCloseableReachesEnd_LosesReaderOnly(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var descriptor = new HalfCloseTestDescriptor(pair.Ours.SafeHandle) { OnRead = () => pair.Drain() };
        descriptor.OnWrite = () =>
        {
            if (descriptor.ReadLosses.Count == 1)
            {
                thread.Reactor.RemoveWriter(descriptor);
                written.SetResult();
            }

            return null;
        };

        await thread.Do(() =>
        {
            thread.Reactor.AddReader(descriptor);
            thread.Reactor.AddWriter(descriptor);
        });
        pair.Theirs.Shutdown(SocketShutdown.Send);
        await written.Task.WithDeadline();

        Assert.IsType<ConnectionDoneException>(Assert.Single(descriptor.ReadLosses));
        Assert.Empty(descriptor.Losses);
        Assert.Empty(await thread.Ask(thread.Reactor.RemoveAll));
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-19"), Contract("R-FD-21")]
    public async Task Dispatch_HalfCloseableWithOtherReason_LosesBoth(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var reason = new ConnectionLostException("no more");
        var descriptor = new HalfCloseTestDescriptor(pair.Ours.SafeHandle) { OnRead = () => reason };

        await thread.Do(() =>
        {
            thread.Reactor.AddReader(descriptor);
            thread.Reactor.AddWriter(descriptor);
        });
        pair.Theirs.Send(new byte[1]);

        Assert.Same(reason, await descriptor.Lost.Task.WithDeadline());
        await thread.Turn();
        Assert.Empty(descriptor.ReadLosses);
        Assert.Single(descriptor.Losses);
        Assert.Empty(await thread.Ask(thread.Reactor.RemoveAll));
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-20"), Contract("R-INV-02")]
    public async Task Dispatch_MethodThrows_IsReportedOnceAndLost(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        SocketPair other = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var error = new InvalidDataException();
        var reader = new TestDescriptor(pair.Ours.SafeHandle) { OnRead = () => throw error };
        var writer = new TestDescriptor(other.Ours.SafeHandle)
        {
            OnWrite = () => throw error,
            OnLost = _ => throw new TimeoutException(),
        };

        await thread.Do(() =>
        {
            thread.Reactor.AddReader(reader);
            thread.Reactor.AddWriter(reader);
            thread.Reactor.AddWriter(writer);
        });
        pair.Theirs.Send(new byte[1]);

        Assert.Same(error, await reader.Lost.Task.WithDeadline());
        Assert.Same(error, await writer.Lost.Task.WithDeadline());
        await thread.Turn();
        Exception[] errors = TakeErrors();
        Assert.Equal(3, errors.Length);
        Assert.Equal(2, errors.Count(e => e == error));
        Assert.Single(errors.OfType<TimeoutException>());
        Assert.Empty(await thread.Ask(thread.Reactor.RemoveAll));
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-24")]
    public async Task Dispatch_DifferentReaderAndWriter_LossTellsBothOnce(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var reader = new TestDescriptor(pair.Ours.SafeHandle) { OnRead = () => pair.Drain() };
        var writer = new TestDescriptor(pair.Ours.SafeHandle);

        await thread.Do(() =>
        {
            thread.Reactor.AddReader(reader);
            thread.Reactor.AddWriter(writer);
        });
        pair.Theirs.Close();

        Exception reason = await reader.Lost.Task.WithDeadline();
        Assert.Same(reason, await writer.Lost.Task.WithDeadline());
        await thread.Turn();
        Assert.Single(reader.Losses);
        Assert.Single(writer.Losses);
    }

    [Theory, ReactorStacks]
    [Contract("R-INV-03")]
    public async Task Dispatch_LossWhileShutdownInsideRead_IsToldOnce(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var reader = new TestDescriptor(pair.Ours.SafeHandle);
        reader.OnRead = () =>
        {
            thread.Reactor.FireSystemEvent(SystemEvents.Shutdown);
            return new ConnectionDoneException();
        };

        await thread.Do(() => thread.Reactor.AddReader(reader));
        pair.Theirs.Send(new byte[1]);

        Assert.IsType<ConnectionLostException>(await reader.Lost.Task.WithDeadline());
        await thread.Ended;
        Assert.Single(reader.Losses);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-10"), Contract("R-FD-10")]
    public async Task Shutdown_RegisteredDescriptors_AreLostOnceEach(ReactorStack stack)
    {
        SocketPair first = Own(new SocketPair());
        SocketPair second = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var both = new TestDescriptor(first.Ours.SafeHandle) { OnLost = _ => throw new InvalidDataException() };
        var other = new TestDescriptor(second.Ours.SafeHandle);
        await thread.Do(() =>
        {
            thread.Reactor.AddReader(both);
            thread.Reactor.AddWriter(both);
            thread.Reactor.AddReader(other);
        });
        await thread.Turn();

        await thread.Do(thread.Reactor.Stop);
        await thread.Ended;

        Assert.IsType<ConnectionLostException>(Assert.Single(both.Losses));
        Assert.IsType<ConnectionLostException>(Assert.Single(other.Losses));
        Assert.IsType<InvalidDataException>(Assert.Single(TakeErrors()));
        Assert.Empty(thread.Reactor.RemoveAll());
    }
}
