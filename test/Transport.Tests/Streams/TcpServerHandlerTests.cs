using System.Net;
using System.Net.Sockets;
using LoopBridge.Loops;
using LoopBridge.Streams;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class TcpServerHandlerTests : TcpServerTest
{
    [Theory, LoopStacks(true, false)]
    [Contract("L-SRV-01")]
    public async Task Handler_FailsBeforeOrAfterAnAwait_LoggedOnceAndAcceptingGoesOn(LoopStack stack, bool before)
    {
        LoopThread thread = StartLoop(stack);
        int calls = 0;
        await using LoopTcpServer server = Serve(thread, async stream =>
        {
            if (++calls == 2)
            {
                await Greet(stream);
                return;
            }

            if (!before)
            {
                await Task.Yield();
            }

            throw new InvalidTimeZoneException("a bug of the handler's");
        });

        await AssertResetAsync(EndPointOf(server));
        LogEntry error = Assert.Single(Log.WaitAndTake(LogLevel.Error));
        Assert.Equal("hello", await ReadToEndAsync(Connect(EndPointOf(server))));

        Assert.IsType<InvalidTimeZoneException>(error.Exception);
        Assert.Equal(652, error.Id.Id);
        Assert.Contains(EndPointOf(server).ToString()!, error.Message, StringComparison.Ordinal);
    }

    [Theory, LoopStacks]
    [Contract("L-SRV-01")]
    public async Task Handler_FailsWithoutALogger_GoesToTheLoopsHookOnce(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        var told = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        thread.Loop.ExceptionHandler = (e, _) => told.SetResult(e);
        await using LoopTcpServer server = Serve(
            thread, _ => Task.FromException(new InvalidTimeZoneException("a bug of the handler's")), new LoopTcpServerOptions());

        await AssertResetAsync(EndPointOf(server));

        Assert.IsType<InvalidTimeZoneException>(await told.Task.WithDeadline());
    }

    [Theory, LoopStacks]
    [Contract("L-SRV-02")]
    public async Task Handler_Waits_OthersAreAcceptedAndServed(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int calls = 0;
        await using LoopTcpServer server = Serve(thread, async stream =>
        {
            if (++calls == 1)
            {
                await release.Task;
            }

            Assert.True(thread.Loop.IsOnLoopThread);
            await Greet(stream);
        });

        Socket first = Connect(EndPointOf(server));
        Assert.Equal("hello", await ReadToEndAsync(Connect(EndPointOf(server))));
        Assert.Equal("hello", await ReadToEndAsync(Connect(EndPointOf(server))));
        release.SetResult();

        Assert.Equal("hello", await ReadToEndAsync(first));
    }

    [Theory, LoopStacks]
    [Contract("L-SRV-03")]
    public async Task Handler_ThrowsSynchronously_LoggedAndTheStreamIsClosed(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        LoopStream? given = null;
        await using LoopTcpServer server = Serve(thread, stream =>
        {
            given = stream;
            throw new InvalidTimeZoneException("a bug of the handler's");
        });

        await AssertResetAsync(EndPointOf(server));

        Assert.IsType<InvalidTimeZoneException>(Assert.Single(Log.WaitAndTake(LogLevel.Error)).Exception);
        Assert.True(given!.IsClosed);
        await UntilAsync(thread, () => server.ConnectionCount == 0);
    }

    // More than the kernel holds is unsent, so that an orderly end could only come after all of it.
    [Theory, LoopStacks(true, false)]
    [Contract("L-SRV-03")]
    public async Task Handler_FailsWithMuchUnsent_ResetsAndDropsTheRest(LoopStack stack, bool synchronously)
    {
        LoopThread thread = StartLoop(stack);
        await using LoopTcpServer server = Serve(thread, stream =>
        {
            _ = Record.ExceptionAsync(() => stream.WriteAsync(new byte[StreamLink.MoreThanBuffersHold]).AsTask());
            var bug = new InvalidTimeZoneException("a bug of the handler's");
            return synchronously ? throw bug : Task.FromException(bug);
        });
        SocketException reset = await Assert.ThrowsAsync<SocketException>(async () =>
        {
            Socket client = Connect(EndPointOf(server)); // which the reset may overtake
            byte[] buffer = new byte[64 * 1024];
            while (await client.ReceiveAsync(buffer).WithDeadline() > 0)
            {
            }
        });

        Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
        Assert.IsType<InvalidTimeZoneException>(Assert.Single(Log.WaitAndTake(LogLevel.Error)).Exception);
    }

    [Theory, LoopStacks]
    [Contract("L-SRV-03")]
    public async Task Handler_ReturnsNoTask_LoggedAndTheStreamIsClosed(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        await using LoopTcpServer server = Serve(thread, _ => null!);

        await AssertResetAsync(EndPointOf(server));

        Assert.IsType<InvalidOperationException>(Assert.Single(Log.WaitAndTake(LogLevel.Error)).Exception);
    }

    [Theory, LoopStacks]
    public async Task Handler_EndsOnItsStreamsEnd_IsNoFailure(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        await using LoopTcpServer server = Serve(thread, Echo);
        Socket client = Connect(EndPointOf(server));
        Assert.Equal("ping", await ExchangeAsync(client, "ping"));

        client.Shutdown(SocketShutdown.Send);

        Assert.Equal("", await ReadToEndAsync(client));
        await UntilAsync(thread, () => server.ConnectionCount == 0);
        Assert.Contains(Log.Entries, entry => entry is { Id.Id: 653, Level: LogLevel.Debug });
    }

    [Theory, LoopStacks]
    public async Task Handler_Ends_EverythingItWroteIsSentFirst(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        const int Length = 4 * 1024 * 1024;
        await using LoopTcpServer server = Serve(thread, stream =>
        {
            _ = stream.WriteAsync(new byte[Length]).AsTask();
            return Task.CompletedTask;
        });

        Socket client = Connect(EndPointOf(server));

        int received = 0;
        byte[] buffer = new byte[64 * 1024];
        int count;
        while ((count = await client.ReceiveAsync(buffer).WithDeadline()) > 0)
        {
            received += count;
        }

        Assert.Equal(Length, received);
    }

    [Theory, LoopStacks]
    public async Task HandleStreamAsync_Overridden_ServesTheConnections(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        await using var server = new GreetingServer(thread.Loop);
        ListenAnywhere(server);

        Assert.Equal("hello", await ReadToEndAsync(Connect(EndPointOf(server))));
    }

    // An abort resets the connection, and whoever waits for bytes is told so, or sees the end on the way there. It may overtake the end of the
    // connect.
    private async Task AssertResetAsync(EndPoint server)
    {
        Exception? error = await Record.ExceptionAsync(async () => Assert.Equal("", await ReadToEndAsync(Connect(server))));
        Assert.True(error is null or SocketException { SocketErrorCode: SocketError.ConnectionReset }, error?.ToString());
    }

    private sealed class GreetingServer(IEventLoop loop) : LoopTcpServer(loop)
    {
        protected override Task HandleStreamAsync(LoopStream stream) => Greet(stream);
    }
}
