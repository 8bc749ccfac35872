using System.Collections.Concurrent;
using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Bridge;

/// <summary>Where an exception that escapes a callback of the reactor goes: to one place, once.</summary>
public sealed class ReportTests : ReactorContract
{
    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-INV-02")]
    public void CallThrows_LoopHasHandler_HandlerIsToldWithTheCallback(ReactorStack stack)
    {
        var told = new List<(Exception, object?)>();
        Action callback = () => throw new InvalidDataException();

        (ErrorLog loopLog, ErrorLog reactorLog) = RunFailing(stack, callback, (e, source) => told.Add((e, source)));

        (Exception exception, object? source) = Assert.Single(told);
        Assert.IsType<InvalidDataException>(exception);
        Assert.Same(callback, source);
        Assert.Empty(loopLog.Errors);
        Assert.Empty(reactorLog.Errors);
    }

    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-INV-02")]
    public void CallThrows_ReactorHasLogger_LoggerIsTold(ReactorStack stack)
    {
        (ErrorLog loopLog, ErrorLog reactorLog) = RunFailing(stack, () => throw new InvalidDataException(), handler: null);

        Assert.IsType<InvalidDataException>(Assert.Single(reactorLog.Errors));
        Assert.Empty(loopLog.Errors);
    }

    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-INV-02")]
    public void CallThrows_NeitherHandlerNorLogger_LoopLogsIt(ReactorStack stack)
    {
        (ErrorLog loopLog, _) = RunFailing(stack, () => throw new InvalidDataException(), handler: null, reactorHasLogger: false);

        Assert.IsType<InvalidDataException>(Assert.Single(loopLog.Errors));
    }

    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-INV-02")]
    public void CallThrows_HandlerThrowsToo_NeitherIsLost(ReactorStack stack)
    {
        (ErrorLog loopLog, ErrorLog reactorLog) = RunFailing(
            stack, () => throw new InvalidDataException(), (_, _) => throw new TimeoutException());

        Assert.Equal(2, reactorLog.Errors.Count);
        Assert.Contains(reactorLog.Errors, e => e is InvalidDataException);
        Assert.Contains(reactorLog.Errors, e => e is TimeoutException);
        Assert.Empty(loopLog.Errors);
    }

    private static (ErrorLog Loop, ErrorLog Reactor) RunFailing(
        ReactorStack stack, Action callback, LoopExceptionHandler? handler, bool reactorHasLogger = true)
    {
        var loopLog = new ErrorLog();
        var reactorLog = new ErrorLog();
        using var loop = new EventLoop(new EventLoopOptions { Driver = stack.Driver, Logger = loopLog }) { ExceptionHandler = handler };
        using var reactor = new ReactorOnLoop(loop, reactorHasLogger ? reactorLog : null);
        reactor.CallFromThread(callback);
        reactor.CallLater(TimeSpan.FromMilliseconds(1), reactor.Stop);
        reactor.RunBounded();
        return (loopLog, reactorLog);
    }

    private sealed class ErrorLog : ILogger
    {
        internal ConcurrentQueue<Exception> Errors { get; } = new();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (exception is not null)
            {
                Errors.Enqueue(exception);
            }
        }
    }
}
