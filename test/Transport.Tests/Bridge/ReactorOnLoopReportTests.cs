using System.Collections.Concurrent;
using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Reactors;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Bridge;

/// <summary>Where an exception that escapes a callback of the reactor goes: to one place, once.</summary>
public sealed class ReactorOnLoopReportTests
{
    public static TheoryData<LoopDriver> Drivers => ReactorDrivers.All;

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-INV-02")]
    public async Task CallThrows_LoopHasHandler_HandlerIsToldWithTheCallback(LoopDriver driver)
    {
        var told = new List<(Exception, object?)>();
        Action callback = () => throw new InvalidDataException();

        (ErrorLog loopLog, ErrorLog reactorLog) = await RunFailing(driver, callback, (e, source) => told.Add((e, source)));

        (Exception exception, object? source) = Assert.Single(told);
        Assert.IsType<InvalidDataException>(exception);
        Assert.Same(callback, source);
        Assert.Empty(loopLog.Errors);
        Assert.Empty(reactorLog.Errors);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-INV-02")]
    public async Task CallThrows_ReactorHasLogger_LoggerIsTold(LoopDriver driver)
    {
        (ErrorLog loopLog, ErrorLog reactorLog) = await RunFailing(driver, () => throw new InvalidDataException(), handler: null);

        Assert.IsType<InvalidDataException>(Assert.Single(reactorLog.Errors));
        Assert.Empty(loopLog.Errors);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-INV-02")]
    public async Task CallThrows_NeitherHandlerNorLogger_LoopLogsIt(LoopDriver driver)
    {
        (ErrorLog loopLog, _) = await RunFailing(driver, () => throw new InvalidDataException(), handler: null, reactorHasLogger: false);

        Assert.IsType<InvalidDataException>(Assert.Single(loopLog.Errors));
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-INV-02")]
    public async Task CallThrows_HandlerThrowsToo_NeitherIsLost(LoopDriver driver)
    {
        (ErrorLog loopLog, ErrorLog reactorLog) = await RunFailing(
            driver, () => throw new InvalidDataException(), (_, _) => throw new TimeoutException());

        Assert.Equal(2, reactorLog.Errors.Count);
        Assert.Contains(reactorLog.Errors, e => e is InvalidDataException);
        Assert.Contains(reactorLog.Errors, e => e is TimeoutException);
        Assert.Empty(loopLog.Errors);
    }

    private static async Task<(ErrorLog Loop, ErrorLog Reactor)> RunFailing(
        LoopDriver driver, Action callback, LoopExceptionHandler? handler, bool reactorHasLogger = true)
    {
        var loopLog = new ErrorLog();
        var reactorLog = new ErrorLog();
        using var loop = new EventLoop(new EventLoopOptions { Driver = driver, Logger = loopLog }) { ExceptionHandler = handler };
        using var reactor = new ReactorOnLoop(loop, reactorHasLogger ? reactorLog : null);
        reactor.CallFromThread(callback);
        reactor.CallLater(TimeSpan.FromMilliseconds(1), reactor.Stop);
        await ReactorHarness.OnThread(reactor.Run).WithDeadline();
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
