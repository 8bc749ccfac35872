using System.Net.Sockets;
using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Interop;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;
using Microsoft.Win32.SafeHandles;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>Handlers on descriptors.</summary>
public sealed class HandlerTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-HND-01"), Contract("L-HND-02"), Contract("L-HND-03")]
    public void AddHandler_SameNumberAgain_ThrowsAndTheFirstStays(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        using var alias = new DescriptorHandle((int)pair.Near.SafeHandle.DangerousGetHandle(), ownsHandle: false);
        var heard = new List<object>();
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.Write, (handle, _) => heard.Add(handle));
        Assert.Throws<InvalidOperationException>(() => loop.AddHandler(pair.Near.SafeHandle, IoEvents.Write, static (_, _) => { }));
        Assert.Throws<InvalidOperationException>(() => loop.AddHandler(alias, IoEvents.Write, static (_, _) => { }));
        loop.RunTurns(1);
        Assert.Same(pair.Near.SafeHandle, Assert.Single(heard));
        loop.RemoveHandler(alias);
        loop.RunTurns(1);
        Assert.Single(heard);
    }

    [Theory, LoopStacks]
    [Contract("L-HND-04"), Contract("L-HND-05")]
    public void RemoveAndUpdate_Unknown_SilentAndThrowing(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        loop.RemoveHandler(pair.Near.SafeHandle);
        Assert.Throws<InvalidOperationException>(() => loop.UpdateHandler(pair.Near.SafeHandle, IoEvents.Read));
        pair.Near.Dispose();
        loop.RemoveHandler(pair.Near.SafeHandle);
    }

    // The number of a closed handle names whoever got it next.
    [Theory, LoopStacks]
    [Contract("L-HND-04"), Contract("L-HND-13")]
    public void RemoveHandler_ClosedHandleOfAReusedNumber_LeavesTheNewOne(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        int number = (int)pair.Near.SafeHandle.DangerousGetHandle();
        var old = new DescriptorHandle(number, ownsHandle: false);
        loop.AddHandler(old, IoEvents.Write, static (_, _) => { });
        loop.RemoveHandler(old);
        old.Dispose();

        using var renewed = new DescriptorHandle(number, ownsHandle: false);
        int calls = 0;
        loop.AddHandler(renewed, IoEvents.Write, (_, _) => calls++);
        loop.RemoveHandler(old);
        Assert.Throws<InvalidOperationException>(() => loop.UpdateHandler(old, IoEvents.None));
        Assert.Throws<ObjectDisposedException>(() => loop.AddHandler(old, IoEvents.Read, static (_, _) => { }));
        loop.RunTurns(1);
        Assert.Equal(1, calls);
    }

    [Theory, LoopStacks]
    [Contract("L-HND-13")]
    public void AddHandler_HandleDisposedWithoutRemoval_StaysUntilRemoved(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        var handle = new DescriptorHandle((int)pair.Near.SafeHandle.DangerousGetHandle(), ownsHandle: false);
        int calls = 0;
        loop.AddHandler(handle, IoEvents.Write, (_, _) => calls++);
        handle.Dispose();
        loop.RunTurns(1);
        loop.RemoveHandler(handle);
        Assert.True(handle.IsClosed);
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.Write, (_, _) => calls += 10);
        loop.RunTurns(1);
        Assert.Equal(11, calls);
    }

    [Theory, LoopStacks]
    [Contract("L-HND-06"), Contract("L-HND-08"), Contract("L-HND-12")]
    public void Handler_Interests_DecideWhatItHearsInEveryTurn(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        var heard = new List<IoEvents>();
        pair.Far.Send((ReadOnlySpan<byte>)[1]);
        Assert.True(pair.Near.Poll(Deadline.Default, SelectMode.SelectRead));
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.Read, (_, events) => heard.Add(events));
        loop.RunTurns(2);
        loop.UpdateHandler(pair.Near.SafeHandle, IoEvents.Read | IoEvents.Write);
        loop.RunTurns(1);
        loop.UpdateHandler(pair.Near.SafeHandle, IoEvents.None);
        loop.RunTurns(1);
        Assert.Equal([IoEvents.Read, IoEvents.Read, IoEvents.Read | IoEvents.Write], heard);
    }

    [Theory, LoopStacks]
    [Contract("L-HND-07")]
    public void Handler_NoInterest_HearsOfTheEnd(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Unix());
        IEventLoop loop = NewLoop(stack);
        IoEvents heard = IoEvents.None;
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.None, (_, events) =>
        {
            heard |= events;
            loop.Stop();
        });
        pair.Far.Dispose();
        loop.StartBounded();
        Assert.Equal(IoEvents.HangUp, heard);
    }

    [Theory, LoopStacks]
    [Contract("L-HND-09")]
    public void Handler_Throws_IsReportedAndCalledAgainButABrokenPipeIsNoNews(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        var reported = new List<Exception>();
        loop.ExceptionHandler = (e, _) => reported.Add(e);
        Exception[] thrown =
        [
            new InvalidDataException(),
            new SocketException((int)SocketError.Shutdown),
            new IOException("write failed", new SocketException((int)SocketError.Shutdown)),
            new IOException("another"),
        ];
        int calls = 0;
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.Write, (_, _) => throw thrown[calls++]);
        loop.RunTurns(thrown.Length);
        Assert.Equal([thrown[0], thrown[3]], reported);
        Assert.Equal(thrown.Length, calls);
    }

    [Theory, LoopStacks]
    [Contract("L-HND-10"), Contract("L-HND-11")]
    public void RemoveHandler_FromHandlerOfTheSamePoll_IsNotCalledNorItsReplacement(LoopStack stack)
    {
        SocketPair first = Own(SocketPair.Tcp());
        SocketPair second = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        int calls = 0;
        int stale = 0;
        void Handle(SafeHandle handle, IoEvents events)
        {
            calls++;
            foreach (SocketPair pair in (SocketPair[])[first, second])
            {
                loop.RemoveHandler(pair.Near.SafeHandle);
                loop.AddHandler(pair.Near.SafeHandle, IoEvents.Read, (_, _) => stale++);
            }
        }

        loop.AddHandler(first.Near.SafeHandle, IoEvents.Write, Handle);
        loop.AddHandler(second.Near.SafeHandle, IoEvents.Write, Handle);
        loop.RunTurns(3);
        Assert.Equal(1, calls);
        Assert.Equal(0, stale);
    }

    [Theory, LoopStacks]
    public async Task RemoveHandler_SocketBeingDisposed_LetsTheDisposeEnd(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.Read, static (_, _) => { });
        SafeHandle handle = pair.Near.SafeHandle;
        Task disposing = Task.Factory.StartNew(
            pair.Near.Dispose, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        loop.RunTurns(50);
        Assert.False(disposing.IsCompleted);
        loop.RemoveHandler(handle);
        await disposing.WithDeadline();
    }

    [Theory, LoopStacks]
    [Contract("L-HND-02"), Contract("L-HND-03")]
    public void AddHandler_ByNumberOrHandle_IsTheSameRegistration(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        SafeHandle handle = pair.Near.SafeHandle;
        nint number = handle.DangerousGetHandle();
        var heard = new List<(object Form, IoEvents Events)>();
        loop.AddHandler(number, IoEvents.Write, (form, events) => heard.Add((form, events)));
        Assert.Throws<InvalidOperationException>(() => loop.AddHandler(handle, IoEvents.Write, static (_, _) => { }));
        Assert.Throws<InvalidOperationException>(() => loop.AddHandler(number, IoEvents.Write, static (_, _) => { }));
        loop.RunTurns(1);
        loop.UpdateHandler(handle, IoEvents.None);
        loop.RunTurns(1);
        Assert.Equal([(number, IoEvents.Write)], heard);

        loop.RemoveHandler(handle);
        loop.AddHandler(handle, IoEvents.None, (form, events) => heard.Add((form, events)));
        Assert.Throws<InvalidOperationException>(() => loop.AddHandler(number, IoEvents.Write, static (_, _) => { }));
        loop.UpdateHandler(number, IoEvents.Write);
        loop.RunTurns(1);
        loop.RemoveHandler(number);
        loop.RunTurns(1);
        Assert.Equal([(number, IoEvents.Write), (handle, IoEvents.Write)], heard);
        loop.RemoveHandler(number);
        Assert.Throws<InvalidOperationException>(() => loop.UpdateHandler(number, IoEvents.Read));
    }

    [Theory, LoopStacks]
    [Contract("L-HND-14")]
    public void AddHandler_RegularFile_IsAlwaysReadyOrThrowsAndHoldsNothing(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        SafeFileHandle file = File.OpenHandle(typeof(HandlerTests).Assembly.Location);
        if (stack.FilesAreAlwaysReady)
        {
            int calls = 0;
            loop.AddHandler(file, IoEvents.Read, (_, events) =>
            {
                Assert.Equal(IoEvents.Read, events);
                if (++calls == 3)
                {
                    loop.RemoveHandler(file);
                    loop.Stop();
                }
            });
            loop.StartBounded();
            Assert.Equal(3, calls);
            loop.RunTurns(2);
            Assert.Equal(3, calls);
            file.Dispose();
            Assert.True(file.IsClosed);
            return;
        }

        Assert.Throws<IOException>(() => loop.AddHandler(file, IoEvents.Read, static (_, _) => { }));
        Assert.Throws<InvalidOperationException>(() => loop.UpdateHandler(file, IoEvents.Read));
        loop.RemoveHandler(file);
        file.Dispose();
        Assert.True(file.IsClosed);
    }

    [Theory, LoopStacks]
    [Contract("L-HND-15")]
    public void Handler_DataThenHangUp_CanStillReadTheData(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Unix());
        IEventLoop loop = NewLoop(stack);
        pair.Far.Send((ReadOnlySpan<byte>)[1, 2, 3]);
        pair.Far.Dispose();
        var received = new List<int>();
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.Read, (handle, events) =>
        {
            Assert.True(events.HasFlag(IoEvents.Read));
            received.Add(pair.Near.Receive(new byte[2]));
            if (received[^1] == 0)
            {
                loop.RemoveHandler(handle);
                loop.Stop();
            }
        });
        loop.StartBounded();
        Assert.Equal([2, 1, 0], received);
    }

    // Some end without anything to read, and nobody asked for reading either.
    [Theory, LoopStacks]
    [Contract("L-HND-07")]
    public void Handler_NoInterest_HearsOfAReset(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        IoEvents heard = IoEvents.None;
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.None, (handle, events) =>
        {
            heard |= events;
            loop.RemoveHandler(handle);
            loop.Stop();
        });
        pair.ResetFar();
        loop.StartBounded();
        Assert.NotEqual(IoEvents.None, heard & (IoEvents.Error | IoEvents.HangUp));
    }
}
