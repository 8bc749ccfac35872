using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>Where a user's exception goes.</summary>
public sealed class ExceptionTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-INV-03"), Contract("L-CB-10")]
    public void ExceptionHandler_CallbackTimeoutAndHandler_SeesEachOnce(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        var reported = new List<string>();
        loop.ExceptionHandler = (e, source) =>
        {
            Assert.NotNull(source);
            reported.Add(e.Message);
        };
        loop.AddCallback(static () => throw new InvalidOperationException("callback"));
        loop.CallLater(TimeSpan.Zero, static () => throw new InvalidOperationException("timeout"));
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.Write, (handle, _) =>
        {
            loop.RemoveHandler(handle);
            throw new InvalidOperationException("handler");
        });
        loop.RunTurns(2);
        Assert.Equal(["callback", "timeout", "handler"], reported);
    }

    // Also through the conveniences, which put a callback of their own around the user's.
    [Theory, LoopStacks]
    [Contract("L-CB-05")]
    public void Report_NoHandler_LogsOnceAndNamesTheCallback(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        SocketPair numbered = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        Action[] ways =
        [
            () => loop.AddCallback(Failing),
            () => loop.AddCallback(FailingWith, null),
            () => loop.AddCallback(FailingAsync),
            () => loop.SpawnCallback(Failing),
            () => EscapedException.Report(loop, new InvalidOperationException("mine"), (Action)Failing),
            () => loop.AddFuture(Task.CompletedTask, FailingWith),
            () => loop.CallLater(TimeSpan.Zero, Failing),
            () => loop.CallAt(TimeSpan.Zero, Failing),
            () => loop.AddHandler(pair.Near.SafeHandle, IoEvents.Write, FailingWith),
            () => loop.AddHandler(numbered.Near.SafeHandle.DangerousGetHandle(), IoEvents.Write, FailingWith),
        ];
        foreach (Action way in ways)
        {
            way();
            loop.RunTurns(1);
            loop.RemoveHandler(pair.Near.SafeHandle);
            loop.RemoveHandler(numbered.Near.SafeHandle);
            LogEntry entry = Log.TakeSingle(LogLevel.Error);
            Assert.Contains(nameof(ExceptionTests), entry.Message, StringComparison.Ordinal);
            Assert.Contains(nameof(Failing), entry.Message, StringComparison.Ordinal);
            Assert.IsType<InvalidOperationException>(entry.Exception);
        }
    }

    [Theory, LoopStacks]
    [Contract("L-CB-10")]
    public void Report_HandlerThrowsItself_LogsBoth(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        loop.ExceptionHandler = static (_, _) => throw new InvalidOperationException("the handler's own");
        loop.AddCallback(Failing);
        bool ran = false;
        loop.AddCallback(() => ran = true);
        loop.RunTurns(1);
        Assert.True(ran);
        Assert.Equal(["the handler's own", "mine"], Log.Take(LogLevel.Error).Select(static entry => entry.Exception?.Message));

        // Without it, everything is as it was before there was one.
        loop.ExceptionHandler = null;
        loop.AddCallback(Failing);
        loop.RunTurns(1);
        Assert.Equal("mine", Log.TakeSingle(LogLevel.Error).Exception?.Message);
    }

    [Theory, LoopStacks]
    [Contract("L-CB-10")]
    public void ReportException_ByOtherCode_GoesTheSameWay(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        var mine = new InvalidOperationException("mine");
        loop.AddCallback(() => loop.ReportException(mine, (Action)Failing));
        loop.RunTurns(1);
        LogEntry entry = Log.TakeSingle(LogLevel.Error);
        Assert.Same(mine, entry.Exception);
        Assert.Contains(nameof(Failing), entry.Message, StringComparison.Ordinal);
        (Exception, object?) heard = default;
        loop.ExceptionHandler = (e, source) => heard = (e, source);
        loop.AddCallback(() => loop.ReportException(mine, "a plug-in"));
        loop.RunTurns(1);
        Assert.Equal((mine, "a plug-in"), heard);
    }

    [Theory, LoopStacks]
    [Contract("L-INV-03")]
    public void Report_LoggerThrows_TheLoopGoesOn(LoopStack stack)
    {
        IEventLoop loop = Own(stack.Create(TimeProvider.System, new BrokenLogger(), layer => Own(layer)));
        loop.AddCallback(Failing);
        bool ran = false;
        loop.AddCallback(() => ran = true);
        loop.RunTurns(1);
        Assert.True(ran);
    }

    private static void Failing() => throw new InvalidOperationException("mine");

    private static Task FailingAsync() => Task.FromException(new InvalidOperationException("mine"));

    private static void FailingWith<T>(T argument) => Failing();

    private static void FailingWith<T>(T argument, IoEvents events) => Failing();

    private sealed class BrokenLogger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => throw new InvalidOperationException("the disk is full");
    }
}
