using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>Registration and dispatch, over real sockets.</summary>
public sealed class DescriptorTests
{
    public static TheoryData<LoopDriver> Drivers => ReactorDrivers.All;

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-01"), Contract("R-INV-01")]
    public async Task AddReader_DataRemains_IsCalledAgainUntilDrained(LoopDriver driver)
    {
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        var received = new List<byte>();
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var reader = new TestDescriptor(pair.Ours.SafeHandle);
        reader.OnRead = () =>
        {
            Exception? end = pair.Drain(received);
            if (received.Count == 40)
            {
                done.SetResult(harness.Reactor.IsInReactorThread);
            }

            return end;
        };

        await harness.On(() => harness.Reactor.AddReader(reader));
        pair.Theirs.Send(new byte[40]);

        Assert.True(await done.Task.WithDeadline());
        await harness.Turn();
        Assert.Equal(0, pair.Ours.Available);
        Assert.Equal(3, reader.Reads);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-02")]
    public async Task RemoveReader_DataPending_IsNotCalled(LoopDriver driver)
    {
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        var reader = new TestDescriptor(pair.Ours.SafeHandle);

        await harness.On(() =>
        {
            harness.Reactor.AddReader(reader);
            pair.Theirs.Send(new byte[1]);
            Assert.True(pair.Ours.Poll(Deadline.Default, System.Net.Sockets.SelectMode.SelectRead));
            harness.Reactor.RemoveReader(reader);
        });
        await harness.Turn();

        Assert.Equal(0, reader.Reads);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-03"), Contract("R-FD-04")]
    public async Task AddWriter_Writable_IsCalledUntilRemoved(LoopDriver driver)
    {
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var writer = new TestDescriptor(pair.Ours.SafeHandle);
        writer.OnWrite = () =>
        {
            if (writer.Writes == 3)
            {
                harness.Reactor.RemoveWriter(writer);
                done.SetResult();
            }

            return null;
        };

        await harness.On(() => harness.Reactor.AddWriter(writer));
        await done.Task.WithDeadline();
        await harness.Turn();

        Assert.Equal(3, writer.Writes);
        Assert.Empty(writer.Losses);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-05"), Contract("R-FD-06")]
    public async Task RemoveAll_BothDirections_ReturnsEachOnceAndCallsNoneAfter(LoopDriver driver)
    {
        using var first = new SocketPair();
        using var second = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        var both = new TestDescriptor(first.Ours.SafeHandle);
        var other = new TestDescriptor(second.Ours.SafeHandle);
        var removed = new TaskCompletionSource<IReadOnlyList<IDescriptor>>(TaskCreationOptions.RunContinuationsAsynchronously);

        // Both become writable in the same poll: whichever is called first removes the other in time.
        Exception? RemoveAll()
        {
            removed.TrySetResult(harness.Reactor.RemoveAll());
            return null;
        }

        both.OnWrite = RemoveAll;
        other.OnWrite = RemoveAll;
        await harness.On(() =>
        {
            harness.Reactor.AddReader(both);
            harness.Reactor.AddWriter(both);
            harness.Reactor.AddWriter(other);
            IReadOnlyList<IReadDescriptor> readers = harness.Reactor.GetReaders();
            IReadOnlyList<IWriteDescriptor> writers = harness.Reactor.GetWriters();
            Assert.Equal([both], readers);
            Assert.Equal(2, writers.Count);
            Assert.Contains(both, writers);
            Assert.Contains(other, writers);
        });

        IReadOnlyList<IDescriptor> all = await removed.Task.WithDeadline();
        await harness.Turn();

        Assert.Equal(2, all.Count);
        Assert.Contains(both, all);
        Assert.Contains(other, all);
        Assert.Equal(1, both.Writes + other.Writes);
        Assert.Empty(both.Losses);
        Assert.Empty(await harness.On(harness.Reactor.GetReaders));
        Assert.Empty(await harness.On(harness.Reactor.GetWriters));
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-07")]
    public async Task Remove_Registered_DoesNotAskForHandle(LoopDriver driver)
    {
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        var descriptor = new TestDescriptor(pair.Ours.SafeHandle);

        await harness.On(() =>
        {
            harness.Reactor.AddReader(descriptor);
            harness.Reactor.AddWriter(descriptor);
            int asked = descriptor.HandleAsked;
            harness.Reactor.RemoveReader(descriptor);
            harness.Reactor.RemoveWriter(descriptor);
            Assert.Equal(asked, descriptor.HandleAsked);
            harness.Reactor.AddReader(descriptor);
            asked = descriptor.HandleAsked;
            harness.Reactor.RemoveAll();
            Assert.Equal(asked, descriptor.HandleAsked);
        });
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-08")]
    public async Task Dispatch_HandleExchanged_LosesBothDirectionsOnce(LoopDriver driver)
    {
        using var pair = new SocketPair();
        using var other = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        var descriptor = new TestDescriptor(pair.Ours.SafeHandle);

        await harness.On(() =>
        {
            harness.Reactor.AddReader(descriptor);
            harness.Reactor.AddWriter(descriptor);
            descriptor.Current = other.Ours.SafeHandle;
        });

        Assert.IsType<ConnectionLostException>(await descriptor.Lost.Task.WithDeadline());
        await harness.Turn();
        Assert.Single(descriptor.Losses);
        Assert.Equal(0, descriptor.Reads + descriptor.Writes);
        Assert.Empty(await harness.On(harness.Reactor.RemoveAll));
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-08"), Contract("R-FD-09")]
    public async Task Dispatch_ReadClosesHandle_IsLostAndNumberStaysTakenUntilThen(LoopDriver driver)
    {
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver);
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

        await harness.On(() => harness.Reactor.AddReader(descriptor));
        pair.Theirs.Send(new byte[1]);

        Assert.IsType<ConnectionLostException>(await descriptor.Lost.Task.WithDeadline());
        await harness.Turn();
        Assert.False(closedInside);
        Assert.True(handle.IsClosed);
        Assert.Equal(1, descriptor.Reads);
        Assert.Single(descriptor.Losses);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-09")]
    public async Task AddReader_OwnerClosesHandle_NumberIsNotReusedWhileRegistered(LoopDriver driver)
    {
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        var reader = new TestDescriptor(pair.Ours.SafeHandle);
        nint number = pair.Ours.SafeHandle.DangerousGetHandle();

        await harness.On(() =>
        {
            harness.Reactor.AddReader(reader);
            reader.Current.Dispose();
            using var next = new SocketPair();
            Assert.NotEqual(number, next.Ours.SafeHandle.DangerousGetHandle());
            Assert.NotEqual(number, next.Theirs.SafeHandle.DangerousGetHandle());
            harness.Reactor.RemoveReader(reader);
        });
        await harness.Turn();

        Assert.Equal(0, reader.Reads);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-11"), Contract("R-FD-12")]
    public async Task Add_TwiceAndRemoveOneDirection_KeepsTheOther(LoopDriver driver)
    {
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        var read = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var descriptor = new TestDescriptor(pair.Ours.SafeHandle);
        descriptor.OnRead = () =>
        {
            read.TrySetResult();
            return pair.Drain();
        };

        await harness.On(() =>
        {
            harness.Reactor.RemoveReader(descriptor);
            harness.Reactor.RemoveWriter(descriptor);
            harness.Reactor.AddReader(descriptor);
            harness.Reactor.AddReader(descriptor);
            harness.Reactor.AddWriter(descriptor);
            harness.Reactor.AddWriter(descriptor);
            harness.Reactor.RemoveWriter(descriptor);
        });
        pair.Theirs.Send(new byte[1]);
        await read.Task.WithDeadline();

        Assert.Equal(0, descriptor.Writes);
        Assert.Single(await harness.On(harness.Reactor.RemoveAll));
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-13"), Contract("R-FD-23")]
    public async Task AddReader_NumberTaken_ThrowsAndKeepsTheFirst(LoopDriver driver)
    {
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        var first = new TestDescriptor(pair.Ours.SafeHandle);
        var second = new TestDescriptor(pair.Ours.SafeHandle);

        await harness.On(() =>
        {
            harness.Reactor.AddReader(first);
            Assert.Throws<InvalidOperationException>(() => harness.Reactor.AddReader(second));
            Assert.Equal([first], harness.Reactor.GetReaders());
            harness.Reactor.RemoveReader(second);
            Assert.Equal([first], harness.Reactor.GetReaders());
        });
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-23")]
    public async Task AddReader_InvalidOrClosedHandle_ThrowsAndLeavesTablesAsBefore(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        using var invalid = new Interop.DescriptorHandle(-1);
        var closed = new Interop.DescriptorHandle(0, ownsHandle: false);
        closed.Dispose();

        await harness.On(() =>
        {
            Assert.Throws<ArgumentException>(() => harness.Reactor.AddReader(new TestDescriptor(invalid)));
            Assert.Throws<ObjectDisposedException>(() => harness.Reactor.AddWriter(new TestDescriptor(closed)));
            Assert.Empty(harness.Reactor.RemoveAll());
        });
    }

    [Fact]
    [Contract("R-FD-23")]
    public async Task AddReader_RefusedByDriver_ThrowsAndKeepsNoReference()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "It is epoll that refuses regular files.");
        await using var harness = new ReactorHarness(LoopDriver.Epoll);
        string path = Path.GetTempFileName();
        using (var file = File.OpenHandle(path, options: FileOptions.DeleteOnClose))
        {
            await harness.On(() =>
            {
                Assert.ThrowsAny<IOException>(() => harness.Reactor.AddReader(new TestDescriptor(file)));
                Assert.Empty(harness.Reactor.GetReaders());
            });
        }

        Assert.False(File.Exists(path));
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-09"), Contract("R-FD-24")]
    public async Task AddWriter_SecondHandleOfOneNumber_IsReferencedUntilRemoved(LoopDriver driver)
    {
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        using var other = new Interop.DescriptorHandle((int)pair.Ours.Handle, ownsHandle: false);
        var reader = new TestDescriptor(pair.Ours.SafeHandle);
        var writer = new TestDescriptor(other);
        var wrote = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        writer.OnWrite = () =>
        {
            wrote.TrySetResult();
            return null;
        };

        await harness.On(() =>
        {
            harness.Reactor.AddReader(reader);
            harness.Reactor.AddWriter(writer);
            harness.Reactor.RemoveReader(reader);
            other.Dispose();
            Assert.False(other.IsClosed);
        });
        await wrote.Task.WithDeadline();
        await harness.On(() => harness.Reactor.RemoveWriter(writer));

        Assert.True(other.IsClosed);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-14"), Contract("R-FD-15")]
    public async Task Dispatch_ReadableAndWritable_ReadsFirstAndAsksAgainBeforeWriting(LoopDriver driver)
    {
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver);
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
                harness.Reactor.RemoveWriter(descriptor);
                done.SetResult();
                return pair.Drain();
            }

            return null;
        };

        pair.Theirs.Send(new byte[1]);
        Assert.True(pair.Ours.Poll(Deadline.Default, System.Net.Sockets.SelectMode.SelectRead));
        await harness.On(() =>
        {
            harness.Reactor.AddWriter(descriptor);
            harness.Reactor.AddReader(descriptor);
        });
        await done.Task.WithDeadline();
        await harness.Turn();

        Assert.Equal(["read", "write", "read"], order);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-FD-16")]
    public async Task Dispatch_RemovedAndReplacedInSamePoll_StaleEventIsDropped(LoopDriver driver)
    {
        using var first = new SocketPair();
        using var second = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        TestDescriptor[] originals = [new(first.Ours.SafeHandle), new(second.Ours.SafeHandle)];
        var calls = new List<object>();
        var replaced = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // Both are writable in one poll. The first to be called puts another object in place of the other; that one is only asked in the
        // next poll.
        Exception? Replace(TestDescriptor self, TestDescriptor other)
        {
            calls.Add(self);
            harness.Reactor.RemoveWriter(self);
            harness.Reactor.RemoveWriter(other);
            var successor = new TestDescriptor(other.Current);
            successor.OnWrite = () =>
            {
                calls.Add("successor");
                harness.Reactor.RemoveWriter(successor);
                replaced.SetResult();
                return null;
            };
            harness.Reactor.AddWriter(successor);
            harness.Reactor.CallFromThread(() => calls.Add("next turn"));
            return null;
        }

        originals[0].OnWrite = () => Replace(originals[0], originals[1]);
        originals[1].OnWrite = () => Replace(originals[1], originals[0]);
        await harness.On(() =>
        {
            harness.Reactor.AddWriter(originals[0]);
            harness.Reactor.AddWriter(originals[1]);
        });
        await replaced.Task.WithDeadline();

        Assert.Equal(3, calls.Count);
        Assert.Equal("next turn", calls[1]);
        Assert.Equal("successor", calls[2]);
    }
}
