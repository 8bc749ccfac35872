using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>Descriptors that are told of all that a poll found: what a loop on the reactor makes its handlers of.</summary>
public sealed class WatcherTests : ReactorContract
{
    [Theory, ReactorStacks]
    [Contract("R-FD-01"), Contract("R-FD-03"), Contract("R-FD-14")]
    public async Task AddWatcher_ReadableAndWritable_HearsOfBothAtOnceUntilItAsksForLess(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var watcher = new TestWatcher(pair.Ours.SafeHandle);
        watcher.OnEvents = _ =>
        {
            if (watcher.Events.Count == 2)
            {
                thread.Reactor.AddWatcher(watcher, IoEvents.None);
                heard.SetResult();
            }

            return null;
        };

        pair.Theirs.Send(new byte[1]);
        Assert.True(pair.Ours.Poll(Deadline.Default, SelectMode.SelectRead));
        await thread.Do(() =>
        {
            thread.Reactor.AddWatcher(watcher, IoEvents.Read | IoEvents.Write);
            Assert.Equal([watcher], thread.Reactor.GetWatchers());
        });
        await heard.Task.WithDeadline();
        await thread.Turn();

        Assert.Equal([IoEvents.Read | IoEvents.Write, IoEvents.Read | IoEvents.Write], watcher.Events);
        Assert.Equal([watcher], await thread.Ask(thread.Reactor.RemoveAll));
        Assert.Empty(watcher.Losses);
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-17"), Contract("R-FD-18")]
    public async Task AddWatcher_WaitsForNothing_HearsOfTheErrorAlone(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var watcher = new TestWatcher(pair.Ours.SafeHandle) { OnEvents = static _ => new ConnectionLostException() };
        await thread.Do(() => thread.Reactor.AddWatcher(watcher, IoEvents.None));

        pair.Theirs.Send(new byte[1]);
        Assert.True(pair.Ours.Poll(Deadline.Default, SelectMode.SelectRead));
        await thread.Turn();
        Assert.Empty(watcher.Events);
        pair.Theirs.LingerState = new LingerOption(true, 0);
        pair.Theirs.Close();

        await watcher.Lost.Task.WithDeadline();
        Assert.NotEqual(IoEvents.None, Assert.Single(watcher.Events) & (IoEvents.Error | IoEvents.HangUp));
        Assert.Empty(await thread.Ask(thread.Reactor.GetWatchers));
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-01")]
    public async Task NeedsChangesOnly_BytesLeftUnread_HearsOfEachChange(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var watcher = new TestWatcher(pair.Ours.SafeHandle) { NeedsChangesOnly = true };
        await thread.Do(() => thread.Reactor.AddWatcher(watcher, IoEvents.Read));
        for (int change = 1; change <= 3; change++)
        {
            int before = await thread.Ask(() => watcher.Events.Count);
            pair.Theirs.Send(new byte[1]);
            pair.WaitAvailable(change); // it has been readable since the first
            await thread.Turn();
            Assert.True(await thread.Ask(() => watcher.Events.Count) > before);
        }

        // Where the native reactor has epoll at hand it leaves out what tells nothing new; asking again has it look again.
        int heard = await thread.Ask(() => watcher.Events.Count);
        await thread.Turn();
        bool isQuiet = await thread.Ask(() => watcher.Events.Count) == heard;
        Assert.Equal(stack.Name == "N/epoll", isQuiet);
        await thread.Do(() => thread.Reactor.AddWatcher(watcher, IoEvents.Read | IoEvents.Write));
        await thread.Turn();
        Assert.True(await thread.Ask(() => watcher.Events.Count) > heard);
        await thread.Do(() => thread.Reactor.RemoveWatcher(watcher));
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-13")]
    public async Task AddWatcher_DescriptorIsTaken_ThrowsAndKeepsTheFirst(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var first = new TestWatcher(pair.Ours.SafeHandle);
        var reader = new TestDescriptor(pair.Ours.SafeHandle);

        await thread.Do(() =>
        {
            thread.Reactor.AddWatcher(first, IoEvents.Read);
            Assert.Throws<InvalidOperationException>(() => thread.Reactor.AddWatcher(new TestWatcher(pair.Ours.SafeHandle), IoEvents.Read));
            Assert.Throws<InvalidOperationException>(() => thread.Reactor.AddReader(reader));
            Assert.Equal([first], thread.Reactor.RemoveAll());

            thread.Reactor.AddReader(reader);
            Assert.Throws<InvalidOperationException>(() => thread.Reactor.AddWatcher(first, IoEvents.Read));
            Assert.Equal([reader], thread.Reactor.RemoveAll());
        });
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-20"), Contract("R-INV-02")]
    public async Task DoEvents_Throws_IsReportedOnceAndLost(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var watcher = new TestWatcher(pair.Ours.SafeHandle) { OnEvents = static _ => throw new InvalidDataException() };

        await thread.Do(() => thread.Reactor.AddWatcher(watcher, IoEvents.Write));

        Assert.IsType<InvalidDataException>(await watcher.Lost.Task.WithDeadline());
        await thread.Turn();
        Assert.Single(watcher.Events);
        Assert.Single(watcher.Losses);
        Assert.IsType<InvalidDataException>(Assert.Single(TakeErrors()));
        Assert.Empty(await thread.Ask(thread.Reactor.GetWatchers));
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-10"), Contract("R-FD-10")]
    public async Task Shutdown_Watched_IsLostOnce(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var watcher = new TestWatcher(pair.Ours.SafeHandle);
        await thread.Do(() => thread.Reactor.AddWatcher(watcher, IoEvents.Read));
        await thread.Turn();

        await thread.Do(thread.Reactor.Stop);
        await thread.Ended;

        Assert.IsType<ConnectionLostException>(Assert.Single(watcher.Losses));
        Assert.Empty(watcher.Events);
    }
}
