using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>Who is registered and hears of events, over real sockets.</summary>
public sealed class DescriptorTests : ReactorContract
{
    [Theory, ReactorStacks]
    [Contract("R-FD-01"), Contract("R-INV-01")]
    public async Task AddReader_DataRemains_IsCalledAgainUntilDrained(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var received = new List<byte>();
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var reader = new TestDescriptor(pair.Ours.SafeHandle);
        reader.OnRead = () =>
        {
            Exception? end = pair.Drain(received);
            if (received.Count == 40)
            {
                done.SetResult(thread.Reactor.IsInReactorThread);
            }

            return end;
        };

        await thread.Do(() => thread.Reactor.AddReader(reader));
        pair.Theirs.Send(new byte[40]);

        Assert.True(await done.Task.WithDeadline());
        await thread.Turn();
        Assert.Equal(0, pair.Ours.Available);
        Assert.Equal(3, reader.Reads);
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-02")]
    public async Task RemoveReader_DataPending_IsNotCalled(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var reader = new TestDescriptor(pair.Ours.SafeHandle);

        await thread.Do(() =>
        {
            thread.Reactor.AddReader(reader);
            pair.Theirs.Send(new byte[1]);
            Assert.True(pair.Ours.Poll(Deadline.Default, System.Net.Sockets.SelectMode.SelectRead));
            thread.Reactor.RemoveReader(reader);
        });
        await thread.Turn();

        Assert.Equal(0, reader.Reads);
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-03"), Contract("R-FD-04")]
    public async Task AddWriter_Writable_IsCalledUntilRemoved(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var writer = new TestDescriptor(pair.Ours.SafeHandle);
        writer.OnWrite = () =>
        {
            if (writer.Writes == 3)
            {
                thread.Reactor.RemoveWriter(writer);
                done.SetResult();
            }

            return null;
        };

        await thread.Do(() => thread.Reactor.AddWriter(writer));
        await done.Task.WithDeadline();
        await thread.Turn();

        Assert.Equal(3, writer.Writes);
        Assert.Empty(writer.Losses);
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-05"), Contract("R-FD-06")]
    public async Task RemoveAll_BothDirections_ReturnsEachOnceAndCallsNoneAfter(ReactorStack stack)
    {
        SocketPair first = Own(new SocketPair());
        SocketPair second = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var both = new TestDescriptor(first.Ours.SafeHandle);
        var other = new TestDescriptor(second.Ours.SafeHandle);
        var removed = new TaskCompletionSource<IReadOnlyList<IDescriptor>>(TaskCreationOptions.RunContinuationsAsynchronously);

        // Both become writable in the same poll: whichever is called first removes the other in time.
        Exception? RemoveAll()
        {
            removed.TrySetResult(thread.Reactor.RemoveAll());
            return null;
        }

        both.OnWrite = RemoveAll;
        other.OnWrite = RemoveAll;
        await thread.Do(() =>
        {
            thread.Reactor.AddReader(both);
            thread.Reactor.AddWriter(both);
            thread.Reactor.AddWriter(other);
            IReadOnlyList<IReadDescriptor> readers = thread.Reactor.GetReaders();
            IReadOnlyList<IWriteDescriptor> writers = thread.Reactor.GetWriters();
            Assert.Equal([both], readers);
            Assert.Equal(2, writers.Count);
            Assert.Contains(both, writers);
            Assert.Contains(other, writers);
        });

        IReadOnlyList<IDescriptor> all = await removed.Task.WithDeadline();
        await thread.Turn();

        Assert.Equal(2, all.Count);
        Assert.Contains(both, all);
        Assert.Contains(other, all);
        Assert.Equal(1, both.Writes + other.Writes);
        Assert.Empty(both.Losses);
        Assert.Empty(await thread.Ask(thread.Reactor.GetReaders));
        Assert.Empty(await thread.Ask(thread.Reactor.GetWriters));
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-05")]
    public async Task GetReaders_RemovedWhileTheyAreGoneThrough_IsASnapshot(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        TestDescriptor[] all = [new(pair.Ours.SafeHandle), new(pair.Theirs.SafeHandle)];

        await thread.Do(() =>
        {
            foreach (TestDescriptor each in all)
            {
                thread.Reactor.AddReader(each);
                thread.Reactor.AddWriter(each);
            }

            IReadOnlyList<IReadDescriptor> readers = thread.Reactor.GetReaders();
            IReadOnlyList<IWriteDescriptor> writers = thread.Reactor.GetWriters();
            foreach (IReadDescriptor reader in readers)
            {
                thread.Reactor.RemoveReader(reader);
            }

            foreach (IWriteDescriptor writer in writers)
            {
                thread.Reactor.RemoveWriter(writer);
            }

            Assert.Equal(2, readers.Count);
            Assert.Equal(2, writers.Count);
            Assert.Empty(thread.Reactor.GetReaders());
            Assert.Empty(thread.Reactor.GetWriters());
        });
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-11"), Contract("R-FD-12")]
    public async Task Add_TwiceAndRemoveOneDirection_KeepsTheOther(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var read = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var descriptor = new TestDescriptor(pair.Ours.SafeHandle);
        descriptor.OnRead = () =>
        {
            read.TrySetResult();
            return pair.Drain();
        };

        await thread.Do(() =>
        {
            thread.Reactor.RemoveReader(descriptor);
            thread.Reactor.RemoveWriter(descriptor);
            thread.Reactor.AddReader(descriptor);
            thread.Reactor.AddReader(descriptor);
            thread.Reactor.AddWriter(descriptor);
            thread.Reactor.AddWriter(descriptor);
            thread.Reactor.RemoveWriter(descriptor);
        });
        pair.Theirs.Send(new byte[1]);
        await read.Task.WithDeadline();

        Assert.Equal(0, descriptor.Writes);
        Assert.Single(await thread.Ask(thread.Reactor.RemoveAll));
    }
}
