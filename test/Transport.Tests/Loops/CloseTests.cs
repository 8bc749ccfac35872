using System.Net.Sockets;
using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>The end of a loop, and who may still call it.</summary>
public sealed class CloseTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-CORE-12"), Contract("L-INV-06")]
    public void Dispose_WithHandlers_UnregistersAndLeavesTheDescriptorsOpen(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.Read, static (_, _) => { });
        loop.Dispose();
        loop.Dispose();
        Assert.Equal(1, pair.Near.Send((ReadOnlySpan<byte>)[1]));
        loop.RemoveHandler(pair.Near.SafeHandle);
        Assert.Throws<ObjectDisposedException>(() => loop.AddHandler(pair.Near.SafeHandle, IoEvents.Read, static (_, _) => { }));
        Assert.Throws<InvalidOperationException>(() => loop.UpdateHandler(pair.Near.SafeHandle, IoEvents.Read));
        Assert.Throws<ObjectDisposedException>(loop.Start);
        pair.Near.Dispose();
        Assert.Equal(1, pair.Far.Receive(new byte[2]));
        Assert.Equal(0, pair.Far.Receive(new byte[2]));
    }

    [Theory, LoopStacks]
    [Contract("L-CORE-13")]
    public async Task AddCallback_RacingWithDispose_NeverThrowsAndNeverRunsAfterwards(LoopStack stack)
    {
        for (int round = 0; round < 20; round++)
        {
            IEventLoop loop = NewLoop(stack);
            bool closed = false;
            bool ranLate = false;
            var posting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Task poster = Task.Run(() =>
            {
                while (loop.AddCallback(() => ranLate |= Volatile.Read(ref closed)))
                {
                    posting.TrySetResult();
                    Thread.Yield();
                }
            }, TestContext.Current.CancellationToken);
            await posting.Task.WithDeadline();
            loop.RunTurns(1);
            loop.Dispose();
            Volatile.Write(ref closed, true);
            await poster.WithDeadline();
            Assert.False(ranLate);
        }
    }

    [Theory, LoopStacks]
    [Contract("L-CORE-14")]
    public async Task CreateAndDispose_OnSeveralThreads_IsSafe(LoopStack stack)
    {
        Task[] threads = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 50; i++)
            {
                var layers = new Stack<IDisposable>();
                IEventLoop loop = stack.Create(TimeProvider.System, Log.CreateLogger("loop"), layers.Push);
                layers.Push(loop);
                bool ran = false;
                loop.AddCallback(() =>
                {
                    ran = true;
                    loop.Stop();
                });
                loop.Start();
                Assert.True(ran);
                while (layers.TryPop(out IDisposable? layer))
                {
                    layer.Dispose();
                }
            }
        }))];
        await Task.WhenAll(threads).WithDeadline();
    }

    [Theory, LoopStacks]
    [Contract("L-INV-02")]
    public async Task OtherMembers_OffTheLoopThread_ThrowInsteadOfCorrupting(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        LoopThread thread = StartLoop(stack);
        IEventLoop loop = thread.Loop;
        LoopTimeout timeout = await thread.Ask(() => loop.CallLater(TimeSpan.FromHours(1), static () => { }));
        Assert.Throws<InvalidOperationException>(() => loop.CallLater(TimeSpan.Zero, static () => { }));
        Assert.Throws<InvalidOperationException>(() => loop.RemoveTimeout(timeout));
        Assert.Throws<InvalidOperationException>(() => loop.AddHandler(pair.Near.SafeHandle, IoEvents.Read, static (_, _) => { }));
        Assert.Throws<InvalidOperationException>(() => loop.UpdateHandler(pair.Near.SafeHandle, IoEvents.Read));
        Assert.Throws<InvalidOperationException>(() => loop.RemoveHandler(pair.Near.SafeHandle));
        Assert.Throws<InvalidOperationException>(loop.Start);
        Assert.Throws<InvalidOperationException>(loop.Dispose);
        Assert.True(timeout.IsPending);
    }

    [Theory, LoopStacks(false, true)]
    [Contract("L-CORE-11"), Contract("L-CORE-12")]
    public void Close_DescriptorsToo_ClosesThoseWithAHandlerThroughTheirHandles(LoopStack stack, bool closeDescriptors)
    {
        SocketPair[] pairs = [.. Enumerable.Range(0, 4).Select(_ => Own(SocketPair.Tcp()))];
        IEventLoop loop = NewLoop(stack);
        using var mine = new CountingHandle(pairs[0].Near.SafeHandle.DangerousGetHandle());
        loop.AddHandler(mine, IoEvents.Read, static (_, _) => { });
        loop.AddHandler(pairs[1].Near.SafeHandle, IoEvents.None, static (_, _) => { });
        loop.AddHandler(pairs[2].Near.SafeHandle, IoEvents.Read, static (_, _) => { });
        loop.RemoveHandler(pairs[2].Near.SafeHandle);
        loop.RunTurns(1);
        loop.Close(closeDescriptors);
        loop.Close(closeDescriptors);
        loop.Dispose();
        Assert.Equal(closeDescriptors ? 1 : 0, mine.Releases);
        Assert.Equal(closeDescriptors, pairs[1].Near.SafeHandle.IsClosed);
        Assert.False(pairs[2].Near.SafeHandle.IsClosed);
        Assert.False(pairs[3].Near.SafeHandle.IsClosed);
        if (closeDescriptors)
        {
            Assert.Equal(0, pairs[1].Far.Receive(new byte[1], SocketFlags.None, out _)); // the end, or a reset
        }
    }

    [Theory, LoopStacks]
    [Contract("L-CORE-11")]
    public void Close_DescriptorGivenAsNumber_ClosesIt(LoopStack stack)
    {
        SocketPair pair = SocketPair.Tcp();
        Own(pair.Far);
        IEventLoop loop = NewLoop(stack);
        loop.AddHandler(pair.Near.SafeHandle.DangerousGetHandle(), IoEvents.Read, static (_, _) => { });

        // The number is all that is left of it; the socket object, which would wait for its handle's end, is never disposed of.
        pair.Near.SafeHandle.SetHandleAsInvalid();
        loop.Close(closeDescriptors: true);
        Assert.Equal(0, pair.Far.Receive(new byte[1], SocketFlags.None, out _));
    }

    [Theory, LoopStacks]
    [Contract("L-CORE-11")]
    public void Close_OwnerThrows_IsReportedAndTheOthersAreClosed(LoopStack stack)
    {
        SocketPair[] pairs = [.. Enumerable.Range(0, 2).Select(_ => Own(SocketPair.Tcp()))];
        IEventLoop loop = NewLoop(stack);
        foreach (SocketPair pair in pairs)
        {
            var handle = new CountingHandle(pair.Near.SafeHandle.DangerousGetHandle()) { Throws = true };
            loop.AddHandler(handle, IoEvents.Read, static (_, _) => { });
        }

        loop.Close(closeDescriptors: true);
        Assert.Equal(2, Log.Take(LogLevel.Error).Count);
    }

    /// <summary>Owns a number in name only, and counts how often it was let go.</summary>
    private sealed class CountingHandle : SafeHandle
    {
        internal CountingHandle(nint number) : base(invalidHandleValue: -1, ownsHandle: true) => SetHandle(number);

        public override bool IsInvalid => handle == -1;

        internal int Releases { get; private set; }

        internal bool Throws { get; init; }

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (Throws && disposing)
            {
                throw new InvalidOperationException("It is still needed.");
            }
        }

        protected override bool ReleaseHandle()
        {
            Releases++;
            return true;
        }
    }
}
