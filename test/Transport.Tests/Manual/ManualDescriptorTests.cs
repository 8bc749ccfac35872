using System.IO.Pipes;
using LoopBridge.Drivers;
using LoopBridge.Manual;
using LoopBridge.Sockets;

namespace LoopBridge.Transport.Tests.Manual;

public sealed class ManualDescriptorTests
{
    [Fact]
    public void Handler_IsCalledInEachTurn_WhileReadyForWhatItWants()
    {
        using var loop = new ManualLoop();
        using var descriptor = new ManualDescriptor();
        List<IoEvents> seen = [];
        loop.AddHandler(descriptor, IoEvents.Read, (handle, events) =>
        {
            Assert.Same(descriptor, handle);
            seen.Add(events);
        });
        descriptor.Ready = IoEvents.Write;
        Assert.True(loop.IsIdle);
        descriptor.Ready = IoEvents.Read | IoEvents.Write | IoEvents.HangUp;
        Assert.False(loop.IsIdle);
        loop.RunTurn();
        loop.RunTurn();
        Assert.Equal([IoEvents.Read | IoEvents.HangUp, IoEvents.Read | IoEvents.HangUp], seen);
        loop.UpdateHandler(descriptor, IoEvents.Write);
        loop.RunTurn();
        Assert.Equal(IoEvents.Write | IoEvents.HangUp, seen[^1]);
        loop.RemoveHandler(descriptor);
        Assert.True(loop.IsIdle);
    }

    [Fact]
    public void Handler_RemovedByTheOneBefore_IsNotCalled()
    {
        using var loop = new ManualLoop();
        using var first = new ManualDescriptor { Ready = IoEvents.Read };
        using var second = new ManualDescriptor { Ready = IoEvents.Read };
        loop.AddHandler(first, IoEvents.Read, (_, _) => loop.RemoveHandler(second));
        loop.AddHandler(second, IoEvents.Read, (_, _) => Assert.Fail("It was removed."));
        loop.RunTurn();
        loop.RemoveHandler(first);
    }

    [Fact]
    public void AddHandler_RealDescriptor_SaysWhatToUse()
    {
        using var loop = new ManualLoop();
        using var pipe = new AnonymousPipeServerStream();
        var thrown = Assert.Throws<IOException>(() => loop.AddHandler(pipe.SafePipeHandle, IoEvents.Read, (_, _) => { }));
        Assert.Contains(nameof(ManualDescriptor), thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sockets_AreNotToBeHad()
    {
        using var loop = new ManualLoop();
        var thrown = Assert.Throws<NotSupportedException>(
            () => HandlerSocketDriver.For(loop).CreateSocket(System.Net.Sockets.AddressFamily.InterNetwork));
        Assert.Contains("CreateStreamPair", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Dispose_ReleasesTheDescriptor()
    {
        var loop = new ManualLoop();
        var descriptor = new ManualDescriptor();
        loop.AddHandler(descriptor, IoEvents.Read, (_, _) => { });
        loop.Dispose();
        descriptor.Dispose();
        Assert.True(descriptor.IsClosed);
    }
}
