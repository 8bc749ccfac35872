using System.IO.Pipes;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>What becomes of the handle and its number while the reactor watches it.</summary>
public sealed class DescriptorHandleTests : ReactorContract
{
    [Theory, ReactorStacks]
    [Contract("R-FD-07")]
    public async Task Remove_Registered_DoesNotAskForHandle(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var descriptor = new TestDescriptor(pair.Ours.SafeHandle);

        await thread.Do(() =>
        {
            thread.Reactor.AddReader(descriptor);
            thread.Reactor.AddWriter(descriptor);
            int asked = descriptor.HandleAsked;
            thread.Reactor.RemoveReader(descriptor);
            thread.Reactor.RemoveWriter(descriptor);
            Assert.Equal(asked, descriptor.HandleAsked);
            thread.Reactor.AddReader(descriptor);
            asked = descriptor.HandleAsked;
            thread.Reactor.RemoveAll();
            Assert.Equal(asked, descriptor.HandleAsked);
        });
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-08")]
    public async Task Dispatch_HandleExchanged_LosesBothDirectionsOnce(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        SocketPair other = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var descriptor = new TestDescriptor(pair.Ours.SafeHandle);

        await thread.Do(() =>
        {
            thread.Reactor.AddReader(descriptor);
            thread.Reactor.AddWriter(descriptor);
            descriptor.Current = other.Ours.SafeHandle;
        });

        Assert.IsType<ConnectionLostException>(await descriptor.Lost.Task.WithDeadline());
        await thread.Turn();
        Assert.Single(descriptor.Losses);
        Assert.Equal(0, descriptor.Reads + descriptor.Writes);
        Assert.Empty(await thread.Ask(thread.Reactor.RemoveAll));
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-08"), Contract("R-FD-09")]
    public async Task Dispatch_ReadClosesHandle_IsLostAndNumberStaysTakenUntilThen(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        using var handle = new Interop.DescriptorHandle((int)pair.Ours.Handle, ownsHandle: false);
        using var invalid = new Interop.DescriptorHandle(-1);
        var descriptor = new TestDescriptor(handle);
        bool? closedInside = null;
        descriptor.OnRead = () =>
        {
            handle.Dispose();
            descriptor.Current = invalid;
            closedInside = handle.IsClosed;
            return null;
        };

        await thread.Do(() => thread.Reactor.AddReader(descriptor));
        pair.Theirs.Send(new byte[1]);

        Assert.IsType<ConnectionLostException>(await descriptor.Lost.Task.WithDeadline());
        await thread.Turn();
        Assert.False(closedInside);
        Assert.True(handle.IsClosed);
        Assert.Equal(1, descriptor.Reads);
        Assert.Single(descriptor.Losses);
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-09")]
    public async Task AddReader_OwnerClosesHandle_NumberIsNotReusedWhileRegistered(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var reader = new TestDescriptor(pair.Ours.SafeHandle);
        nint number = pair.Ours.SafeHandle.DangerousGetHandle();

        await thread.Do(() =>
        {
            thread.Reactor.AddReader(reader);
            reader.Current.Dispose();
            SocketPair next = Own(new SocketPair());
            Assert.NotEqual(number, next.Ours.SafeHandle.DangerousGetHandle());
            Assert.NotEqual(number, next.Theirs.SafeHandle.DangerousGetHandle());
            thread.Reactor.RemoveReader(reader);
        });
        await thread.Turn();

        Assert.Equal(0, reader.Reads);
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-13"), Contract("R-FD-23")]
    public async Task Add_NumberTaken_ThrowsAndTheFirstGoesOn(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var first = new TestDescriptor(pair.Ours.SafeHandle) { OnRead = () => pair.Drain() };
        var second = new TestDescriptor(pair.Ours.SafeHandle);
        first.OnWrite = () =>
        {
            thread.Reactor.RemoveWriter(first);
            return null;
        };

        await thread.Do(() =>
        {
            thread.Reactor.AddReader(first);
            thread.Reactor.AddWriter(first);
            Assert.Throws<InvalidOperationException>(() => thread.Reactor.AddReader(second));
            Assert.Throws<InvalidOperationException>(() => thread.Reactor.AddWriter(second));
            thread.Reactor.RemoveReader(second);
            thread.Reactor.RemoveWriter(second);
            Assert.Equal([first], thread.Reactor.GetReaders());
            Assert.Equal([first], thread.Reactor.GetWriters());
        });
        pair.Theirs.Send(new byte[1]);
        await first.FirstRead.Task.WithDeadline();
        await thread.Turn();

        Assert.Equal(1, first.Writes);
        Assert.Equal(0, second.Reads + second.Writes);
        Assert.Equal([first], await thread.Ask(thread.Reactor.RemoveAll));
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-23")]
    public async Task AddReader_InvalidOrClosedHandle_ThrowsAndLeavesTablesAsBefore(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        using var invalid = new Interop.DescriptorHandle(-1);
        var closed = new Interop.DescriptorHandle(0, ownsHandle: false);
        closed.Dispose();

        await thread.Do(() =>
        {
            Assert.Throws<ArgumentException>(() => thread.Reactor.AddReader(new TestDescriptor(invalid)));
            Assert.Throws<ObjectDisposedException>(() => thread.Reactor.AddWriter(new TestDescriptor(closed)));
            Assert.Empty(thread.Reactor.RemoveAll());
        });
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-23")]
    public void AddReader_RefusedByDriver_ThrowsAndKeepsNoReference(ReactorStack stack)
    {
        SkipUnless(!stack.WatchesAnyDescriptor, "it is the managed driver that refuses pipes");
        IReactor reactor = NewReactor(stack);
        using var server = new AnonymousPipeServerStream(PipeDirection.Out);
        using var pipe = new AnonymousPipeClientStream(PipeDirection.In, server.ClientSafePipeHandle);

        Assert.ThrowsAny<IOException>(() => reactor.AddReader(new TestDescriptor(pipe.SafePipeHandle)));

        Assert.Empty(reactor.GetReaders());
        pipe.Dispose();
        Assert.True(server.ClientSafePipeHandle.IsClosed);
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-09"), Contract("R-FD-24")]
    public async Task AddWriter_SecondHandleOfOneNumber_IsReferencedUntilRemoved(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        using var other = new Interop.DescriptorHandle((int)pair.Ours.Handle, ownsHandle: false);
        var reader = new TestDescriptor(pair.Ours.SafeHandle);
        var writer = new TestDescriptor(other);
        var wrote = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        writer.OnWrite = () =>
        {
            wrote.TrySetResult();
            return null;
        };

        await thread.Do(() =>
        {
            thread.Reactor.AddReader(reader);
            thread.Reactor.AddWriter(writer);
            thread.Reactor.RemoveReader(reader);
            other.Dispose();
            Assert.False(other.IsClosed);
        });
        await wrote.Task.WithDeadline();
        await thread.Do(() => thread.Reactor.RemoveWriter(writer));

        Assert.True(other.IsClosed);
    }
}
