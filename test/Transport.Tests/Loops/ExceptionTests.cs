using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>Where a user's exception goes.</summary>
public sealed class ExceptionTests
{
    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-INV-03"), Contract("L-CB-10")]
    public void ExceptionHandler_CallbackTimeoutAndHandler_SeesEachOnce(LoopDriver driver)
    {
        using SocketPair pair = SocketPair.Tcp();
        using EventLoop loop = LoopTesting.NewLoop(driver);
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

    [Fact]
    [Contract("L-CB-05")]
    public void Report_NoHandler_LogsOnceAndNamesTheCallback()
    {
        var logger = new RecordingLogger();
        using var loop = new EventLoop(new EventLoopOptions { Logger = logger });
        loop.AddCallback(Failing);
        loop.RunTurns(1);
        string entry = Assert.Single(logger.Errors);
        Assert.Contains($"{nameof(ExceptionTests)}.{nameof(Failing)}", entry, StringComparison.Ordinal);
    }

    [Fact]
    public void Report_HandlerThrowsItself_LogsBoth()
    {
        var logger = new RecordingLogger();
        using var loop = new EventLoop(new EventLoopOptions { Logger = logger });
        loop.ExceptionHandler = static (_, _) => throw new InvalidOperationException("the handler's own");
        loop.AddCallback(Failing);
        bool ran = false;
        loop.AddCallback(() => ran = true);
        loop.RunTurns(1);
        Assert.Equal(2, logger.Errors.Count);
        Assert.True(ran);
    }

    [Fact]
    [Contract("L-INV-03")]
    public void Report_LoggerThrows_TheLoopGoesOn()
    {
        using var loop = new EventLoop(new EventLoopOptions { Logger = new RecordingLogger { Broken = true } });
        loop.AddCallback(Failing);
        bool ran = false;
        loop.AddCallback(() => ran = true);
        loop.RunTurns(1);
        Assert.True(ran);
    }

    private static void Failing() => throw new InvalidOperationException("mine");

    private sealed class RecordingLogger : ILogger
    {
        internal List<string> Errors { get; } = [];

        internal bool Broken { get; init; }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (Broken)
            {
                throw new InvalidOperationException("the disk is full");
            }

            Errors.Add(formatter(state, exception));
        }
    }
}
