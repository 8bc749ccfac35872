using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Interop;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>Handlers on descriptors.</summary>
public sealed class HandlerTests
{
    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-HND-01"), Contract("L-HND-02"), Contract("L-HND-03")]
    public void AddHandler_SameNumberAgain_ThrowsAndTheFirstStays(LoopDriver driver)
    {
        using SocketPair pair = SocketPair.Tcp();
        using EventLoop loop = LoopTesting.NewLoop(driver);
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

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-HND-04"), Contract("L-HND-05")]
    public void RemoveAndUpdate_Unknown_SilentAndThrowing(LoopDriver driver)
    {
        using SocketPair pair = SocketPair.Tcp();
        using EventLoop loop = LoopTesting.NewLoop(driver);
        loop.RemoveHandler(pair.Near.SafeHandle);
        Assert.Throws<InvalidOperationException>(() => loop.UpdateHandler(pair.Near.SafeHandle, IoEvents.Read));
        pair.Near.Dispose();
        loop.RemoveHandler(pair.Near.SafeHandle);
    }

    // The number of a closed handle names whoever got it next.
    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-HND-04"), Contract("L-HND-13")]
    public void RemoveHandler_ClosedHandleOfAReusedNumber_LeavesTheNewOne(LoopDriver driver)
    {
        using SocketPair pair = SocketPair.Tcp();
        using EventLoop loop = LoopTesting.NewLoop(driver);
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

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-HND-13")]
    public void AddHandler_HandleDisposedWithoutRemoval_StaysUntilRemoved(LoopDriver driver)
    {
        using SocketPair pair = SocketPair.Tcp();
        using EventLoop loop = LoopTesting.NewLoop(driver);
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

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-HND-06"), Contract("L-HND-08"), Contract("L-HND-12")]
    public void Handler_Interests_DecideWhatItHearsInEveryTurn(LoopDriver driver)
    {
        using SocketPair pair = SocketPair.Tcp();
        using EventLoop loop = LoopTesting.NewLoop(driver);
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

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-HND-07")]
    public void Handler_NoInterest_HearsOfTheEnd(LoopDriver driver)
    {
        using SocketPair pair = SocketPair.Unix();
        using EventLoop loop = LoopTesting.NewLoop(driver);
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

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-HND-09")]
    public void Handler_Throws_IsReportedAndCalledAgainButABrokenPipeIsNoNews(LoopDriver driver)
    {
        using SocketPair pair = SocketPair.Tcp();
        using EventLoop loop = LoopTesting.NewLoop(driver);
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

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-HND-10"), Contract("L-HND-11")]
    public void RemoveHandler_FromHandlerOfTheSamePoll_IsNotCalledNorItsReplacement(LoopDriver driver)
    {
        using SocketPair first = SocketPair.Tcp();
        using SocketPair second = SocketPair.Tcp();
        using EventLoop loop = LoopTesting.NewLoop(driver);
        int calls = 0;
        int stale = 0;
        void Handle(System.Runtime.InteropServices.SafeHandle handle, IoEvents events)
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

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public async Task RemoveHandler_SocketBeingDisposed_LetsTheDisposeEnd(LoopDriver driver)
    {
        using SocketPair pair = SocketPair.Tcp();
        using EventLoop loop = LoopTesting.NewLoop(driver);
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.Read, static (_, _) => { });
        System.Runtime.InteropServices.SafeHandle handle = pair.Near.SafeHandle;
        Task disposing = Task.Factory.StartNew(
            pair.Near.Dispose, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        loop.RunTurns(50);
        Assert.False(disposing.IsCompleted);
        loop.RemoveHandler(handle);
        await disposing.WithDeadline();
    }
}
