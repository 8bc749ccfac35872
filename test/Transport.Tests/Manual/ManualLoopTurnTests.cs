using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Manual;

namespace LoopBridge.Transport.Tests.Manual;

public sealed class ManualLoopTurnTests
{
    [Fact]
    public void RunTurn_RunsCallbacksThenTimeoutsThenHandlers()
    {
        using var loop = new ManualLoop();
        using var descriptor = new ManualDescriptor { Ready = IoEvents.Read };
        List<string> ran = [];
        loop.AddHandler(descriptor, IoEvents.Read, (_, _) => ran.Add("handler"));
        loop.CallLater(TimeSpan.Zero, () => ran.Add("timeout"));
        loop.AddCallback(() => ran.Add("callback"));
        loop.RunTurn();
        Assert.Equal(["callback", "timeout", "handler"], ran);
        Assert.Equal(1, loop.Turns);
        loop.RemoveHandler(descriptor);
    }

    [Fact]
    public void RunTurn_WhatACallbackAdds_WaitsForTheNextTurn()
    {
        using var loop = new ManualLoop();
        List<string> ran = [];
        loop.AddCallback(() =>
        {
            ran.Add("first");
            loop.AddCallback(() => ran.Add("second"));
            loop.CallLater(TimeSpan.Zero, () => ran.Add("third"));
        });
        loop.RunTurn();
        Assert.Equal(["first"], ran);
        Assert.Equal((1, 1), (loop.PendingCallbacks, loop.PendingTimeouts));
        loop.RunTurn();
        Assert.Equal(["first", "second", "third"], ran);
        Assert.True(loop.IsIdle);
    }

    [Fact]
    public void IsOnLoopThread_OwnThread_InTurnsAndBetween()
    {
        using var loop = new ManualLoop();
        bool inside = false;
        IEventLoop? current = null;
        loop.AddCallback(() => (inside, current) = (loop.IsOnLoopThread, CurrentLoop.Value));
        Assert.True(loop.IsOnLoopThread);
        Assert.Null(CurrentLoop.Value);
        loop.RunTurn();
        Assert.True(inside);
        Assert.Same(loop, current);
        Assert.True(loop.IsOnLoopThread);
        Assert.Null(CurrentLoop.Value);
    }

    [Fact]
    public void IsOnLoopThread_OtherThread_OnlyAfterItRanTheLoop()
    {
        using var loop = new ManualLoop();
        (bool Before, bool Refused, bool After) other = default;
        var thread = new Thread(() =>
        {
            other.Before = loop.IsOnLoopThread;
            other.Refused = Record.Exception(() => loop.CallLater(TimeSpan.Zero, () => { })) is InvalidOperationException;
            loop.RunTurn();
            other.After = loop.IsOnLoopThread;
        });
        thread.Start();
        thread.Join();
        Assert.Equal((false, true, true), other);
        Assert.False(loop.IsOnLoopThread);
        loop.RunTurn();
        Assert.True(loop.IsOnLoopThread);
    }

    [Fact]
    public void RunTurn_InsideATurn_Throws()
    {
        using var loop = new ManualLoop();
        loop.AddCallback(loop.RunTurn);
        loop.AddCallback(() => loop.RunUntilIdle());
        loop.AddCallback(loop.Dispose);
        var thrown = Assert.Throws<AggregateException>(loop.RunTurn);
        Assert.Equal(3, thrown.InnerExceptions.Count);
        Assert.All(thrown.InnerExceptions, inner => Assert.IsType<InvalidOperationException>(inner));
        Assert.True(loop.IsIdle);
    }

    [Fact]
    public void RunTurn_CallbackThrows_ThrowsItAfterTheTurnAndGoesOn()
    {
        using var loop = new ManualLoop();
        int ran = 0;
        var failure = new FormatException("mine");
        loop.AddCallback(() => throw failure);
        loop.AddCallback(() => ran++);
        Assert.Same(failure, Assert.Throws<FormatException>(loop.RunTurn));
        Assert.Equal(1, ran);
        Assert.Equal([failure], loop.Exceptions);
        loop.RunTurn();
    }

    [Fact]
    public void RunTurn_AsyncVoidThrows_ThrowsIt()
    {
        using var loop = new ManualLoop();
        loop.AddCallback(async () =>
        {
            await Task.Yield();
            throw new FormatException();
        });
        Assert.Throws<FormatException>(() => loop.RunUntilIdle());
    }

    [Fact]
    public void ExceptionHandler_TakesWhatEscapes()
    {
        List<Exception> told = [];
        using var loop = new ManualLoop { ExceptionHandler = (exception, _) => told.Add(exception) };
        loop.AddCallback(() => throw new FormatException());
        loop.RunTurn();
        Assert.IsType<FormatException>(Assert.Single(told));
        Assert.Equal(told, loop.Exceptions);
    }

    [Fact]
    public void ExceptionHandler_ThrowsItself_BothAreThrown()
    {
        using var loop = new ManualLoop { ExceptionHandler = (_, _) => throw new NotSupportedException() };
        loop.AddCallback(() => throw new FormatException());
        var thrown = Assert.Throws<AggregateException>(loop.RunTurn);
        Assert.Equal([typeof(FormatException), typeof(NotSupportedException)], thrown.InnerExceptions.Select(inner => inner.GetType()));
    }

    [Fact]
    public void Dispose_DropsWhatIsQueued_AndRefusesMore()
    {
        var loop = new ManualLoop();
        bool ran = false;
        loop.AddCallback(() => ran = true);
        loop.CallLater(TimeSpan.Zero, () => ran = true);
        loop.Dispose();
        loop.Dispose();
        Assert.False(ran);
        Assert.False(loop.AddCallback(() => { }));
        Assert.Throws<ObjectDisposedException>(loop.RunTurn);
    }

    [Fact]
    public void Options_NoTurns_Throws()
        => Assert.Throws<ArgumentOutOfRangeException>(() => new ManualLoop(new ManualLoopOptions { MaxTurns = 0 }));
}
