using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>Which of the objects that an event concerns are called, and in which order.</summary>
public sealed class DispatchTests : ReactorContract
{
    [Theory, ReactorStacks]
    [Contract("R-FD-14"), Contract("R-FD-15")]
    public async Task Dispatch_ReadableAndWritable_ReadsFirstAndAsksAgainBeforeWriting(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var order = new List<string>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var descriptor = new TestDescriptor(pair.Ours.SafeHandle)
        {
            OnWrite = () =>
            {
                order.Add("write");
                return null;
            },
        };
        descriptor.OnRead = () =>
        {
            order.Add("read");
            if (descriptor.Reads == 2)
            {
                thread.Reactor.RemoveWriter(descriptor);
                done.SetResult();
                return pair.Drain();
            }

            return null;
        };

        pair.Theirs.Send(new byte[1]);
        Assert.True(pair.Ours.Poll(Deadline.Default, System.Net.Sockets.SelectMode.SelectRead));
        await thread.Do(() =>
        {
            thread.Reactor.AddWriter(descriptor);
            thread.Reactor.AddReader(descriptor);
        });
        await done.Task.WithDeadline();
        await thread.Turn();

        Assert.Equal(["read", "write", "read"], order);
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-14"), Contract("R-FD-21")]
    public async Task Dispatch_ReadEndsIt_DoesNotWrite(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var reason = new ConnectionLostException("enough");
        var descriptor = new TestDescriptor(pair.Ours.SafeHandle) { OnRead = () => reason };

        pair.Theirs.Send(new byte[1]);
        Assert.True(pair.Ours.Poll(Deadline.Default, System.Net.Sockets.SelectMode.SelectRead));
        await thread.Do(() =>
        {
            thread.Reactor.AddWriter(descriptor);
            thread.Reactor.AddReader(descriptor);
        });

        Assert.Same(reason, await descriptor.Lost.Task.WithDeadline());
        await thread.Turn();
        Assert.Equal(1, descriptor.Reads);
        Assert.Equal(0, descriptor.Writes);
        Assert.Single(descriptor.Losses);
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-16")]
    public async Task Dispatch_RemovedAndReplacedInSamePoll_StaleEventIsDropped(ReactorStack stack)
    {
        SocketPair first = Own(new SocketPair());
        SocketPair second = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        TestDescriptor[] originals = [new(first.Ours.SafeHandle), new(second.Ours.SafeHandle)];
        var calls = new List<object>();
        var replaced = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // Both are writable in one poll. The first to be called puts another object in place of the other; that one is only asked in the
        // next poll.
        Exception? Replace(TestDescriptor self, TestDescriptor other)
        {
            calls.Add(self);
            thread.Reactor.RemoveWriter(self);
            thread.Reactor.RemoveWriter(other);
            var successor = new TestDescriptor(other.Current);
            successor.OnWrite = () =>
            {
                calls.Add("successor");
                thread.Reactor.RemoveWriter(successor);
                replaced.SetResult();
                return null;
            };
            thread.Reactor.AddWriter(successor);
            thread.Reactor.CallFromThread(() => calls.Add("next turn"));
            return null;
        }

        originals[0].OnWrite = () => Replace(originals[0], originals[1]);
        originals[1].OnWrite = () => Replace(originals[1], originals[0]);
        await thread.Do(() =>
        {
            thread.Reactor.AddWriter(originals[0]);
            thread.Reactor.AddWriter(originals[1]);
        });
        await replaced.Task.WithDeadline();

        Assert.Equal(3, calls.Count);
        Assert.Equal("next turn", calls[1]);
        Assert.Equal("successor", calls[2]);
    }
}
