using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using LoopBridge.Kestrel;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Transport.Tests.Kestrel;

public sealed class ReaderTests
{
    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-28")]
    public async Task ReadAsync_BytesSentBeforeAccept_AreThere(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        IConnectionListener listener = await host.BindAsync();
        using Socket client = TransportHost.Dial(listener.EndPoint);
        await client.SendTextAsync("early");
        await using ConnectionContext? connection = await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal("early", await connection!.Transport.Input.ReadTextAsync(5));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-57")]
    public async Task CancelPendingRead_WaitingRead_ReturnsCancelledAndKeepsData(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        PipeReader input = connection.Transport.Input;
        Task<ReadResult> waiting = input.ReadSoonAsync();
        Assert.False(waiting.IsCompleted);
        input.CancelPendingRead();
        ReadResult cancelled = await waiting;
        Assert.True(cancelled.IsCanceled);
        Assert.False(cancelled.IsCompleted);
        input.AdvanceTo(cancelled.Buffer.Start, cancelled.Buffer.End);
        await client.SendTextAsync("data");
        ReadResult first = await input.ReadAtLeastAsync(4, TestContext.Current.CancellationToken).WithDeadline();
        input.AdvanceTo(first.Buffer.Start, first.Buffer.End); // examined, not consumed
        waiting = input.ReadSoonAsync();
        input.CancelPendingRead();
        cancelled = await waiting;
        Assert.True(cancelled.IsCanceled);
        Assert.Equal("data", Encoding.ASCII.GetString(cancelled.Buffer));
        input.AdvanceTo(cancelled.Buffer.End);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-57")]
    public async Task CancelPendingRead_NothingWaits_CancelsTheNextReadAlone(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        PipeReader input = connection.Transport.Input;
        input.CancelPendingRead();
        Assert.True(input.TryRead(out ReadResult cancelled));
        Assert.True(cancelled.IsCanceled);
        input.AdvanceTo(cancelled.Buffer.End);
        Assert.False(input.TryRead(out _));
        await client.SendTextAsync("x");
        Assert.Equal("x", await input.ReadTextAsync(1));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    public async Task ReadAsync_TokenFires_ThrowsAndTheNextReadWorks(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        using var cancel = new CancellationTokenSource();
        Task<ReadResult> waiting = connection.Transport.Input.ReadAsync(cancel.Token).WithDeadline();
        await cancel.CancelAsync();
        OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(cancel.Token, e.CancellationToken);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connection.Transport.Input.ReadAsync(cancel.Token).WithDeadline());
        await client.SendTextAsync("x");
        Assert.Equal("x", await connection.Transport.Input.ReadTextAsync(1));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-58")]
    public async Task AdvanceTo_NothingExamined_DeliversAtOnceAgain(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        PipeReader input = connection.Transport.Input;
        await client.SendTextAsync("hello");
        ReadResult first = await input.ReadAtLeastAsync(5, TestContext.Current.CancellationToken).WithDeadline();
        input.AdvanceTo(first.Buffer.Start);
        ValueTask<ReadResult> again = input.ReadAsync(TestContext.Current.CancellationToken);
        Assert.True(again.IsCompleted);
        Assert.Equal("hello", Encoding.ASCII.GetString((await again).Buffer));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-58")]
    public async Task AdvanceTo_AllExamined_WaitsForMoreAndDeliversOldAndNew(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        PipeReader input = connection.Transport.Input;
        await client.SendTextAsync("old ");
        ReadResult first = await input.ReadAtLeastAsync(4, TestContext.Current.CancellationToken).WithDeadline();
        input.AdvanceTo(first.Buffer.GetPosition(1), first.Buffer.End);
        Task<ReadResult> waiting = input.ReadSoonAsync();
        Assert.False(waiting.IsCompleted);
        await client.SendTextAsync("new");
        ReadResult second = await waiting;
        Assert.StartsWith("ld n", Encoding.ASCII.GetString(second.Buffer), StringComparison.Ordinal);
        input.AdvanceTo(second.Buffer.Start, second.Buffer.Start);
        Assert.Equal("ld new", await input.ReadTextAsync(6));
        Assert.Throws<InvalidOperationException>(() => input.AdvanceTo(second.Buffer.End, second.Buffer.Start));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-58")]
    public async Task ReadAsync_NewsOfAnEarlierOne_DoesNotEndIt(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        Task<ReadResult> waiting = connection.Transport.Input.ReadSoonAsync();
        for (int i = 0; i < 10; i++)
        {
            // What the loop has received, and is about to tell, the read before this one may have seen and used up by itself.
            await TransportHost.OnLoopOfAsync(connection, ((LoopPipeReader)connection.Transport.Input).WakeUp);
        }

        Assert.False(waiting.IsCompleted);
        await client.SendTextAsync("news");
        Assert.Equal("news", Encoding.ASCII.GetString((await waiting).Buffer));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-50"), Contract("K-86"), Contract("K-85")]
    public async Task ReadAsync_SenderAheadOfTheLimit_PausesOnceResumesAndLosesNothing(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        const int Limit = 16 * 1024;
        const int Block = 4096;
        await using var host = new TransportHost(mode, driver, scheduling, o => o.MaxReadBufferSize = Limit);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        int sent = client.SendUntilFull();
        client.Shutdown(SocketShutdown.Send); // news for a descriptor that is paused: not to be acted on, nor logged
        PipeExtensions.Eventually(() => host.LogsOf("ConnectionPause").Length > 0, "The connection did not pause.");
        await host.SettleAsync();
        Assert.Single(host.LogsOf("ConnectionPause"));
        Assert.Empty(host.LogsOf("ConnectionReadFin"));
        Assert.False(connection.ConnectionClosed.IsCancellationRequested);
        long total = 0;
        while (true)
        {
            ReadResult result = await connection.Transport.Input.ReadSoonAsync();
            Assert.InRange(result.Buffer.Length, 0, Limit + Block);
            total += result.Buffer.Length;
            connection.Transport.Input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                break;
            }
        }

        Assert.Equal(sent, total);
        Assert.Equal(host.LogsOf("ConnectionPause").Length, host.LogsOf("ConnectionResume").Length);
        Assert.All(host.LogsOf("ConnectionPause"), entry => Assert.Equal(4, entry.Id.Id));
        Assert.All(host.LogsOf("ConnectionResume"), entry => Assert.Equal(5, entry.Id.Id));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-86")]
    public async Task Pause_MoreArrivesInTheKernel_IsNotLoggedAgain(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver, configure: o => o.MaxReadBufferSize = 4096);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        await client.SendAllAsync(new byte[4096]);
        PipeExtensions.Eventually(() => host.LogsOf("ConnectionPause").Length == 1, "The connection did not pause.");
        for (int i = 0; i < 10; i++)
        {
            await client.SendAllAsync(new byte[100]);
            await host.SettleAsync();
        }

        client.Shutdown(SocketShutdown.Send);
        await host.SettleAsync();
        Assert.Single(host.LogsOf("ConnectionPause"));
        Assert.Equal(5096, await connection.Transport.Input.DrainAsync());
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-50")]
    public async Task ReadAsync_LimitOff_TakesInAll(LoopBridgeMode mode, LoopDriver driver)
    {
        foreach (long? limit in new long?[] { null, 0 })
        {
            await using var host = new TransportHost(mode, driver, configure: o => o.MaxReadBufferSize = limit);
            (ConnectionContext connection, Socket client) = await host.ConnectAsync();
            const int Size = 8 * 1024 * 1024; // beyond what the kernel holds
            await client.SendAllAsync(new byte[Size]);
            ReadResult all = await connection.Transport.Input.ReadAtLeastAsync(Size, TestContext.Current.CancellationToken).WithDeadline();
            Assert.Equal(Size, all.Buffer.Length);
            connection.Transport.Input.AdvanceTo(all.Buffer.End);
        }
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-54"), Contract("K-85")]
    public async Task PeerFin_BytesBefore_AreDeliveredThenCompletesAndOutputStaysUsable(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        await client.SendTextAsync("last words");
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("last words", await connection.Transport.Input.ReadTextAsync(10));
        Assert.Equal(0, await connection.Transport.Input.DrainAsync());
        await connection.ClosedAsync();
        await connection.Transport.Output.WriteTextAsync("answer");
        Assert.Equal("answer"u8.ToArray(), await client.ReceiveExactlyAsync(6));
        LogEntry fin = Assert.Single(host.LogsOf("ConnectionReadFin"));
        Assert.Equal(6, fin.Id.Id);
        Assert.Contains(connection.ConnectionId, fin.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-55"), Contract("K-85"), Contract("K-86")]
    public async Task PeerReset_WaitingRead_ThrowsConnectionResetWithTheCauseInside(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        Task<ReadResult> waiting = connection.Transport.Input.ReadSoonAsync();
        client.Reset();
        ConnectionResetException reset = await Assert.ThrowsAsync<ConnectionResetException>(() => waiting);
        Assert.IsType<SocketException>(reset.InnerException);
        await Assert.ThrowsAsync<ConnectionResetException>(() => connection.Transport.Input.ReadSoonAsync());
        Assert.Throws<ConnectionResetException>(() => connection.Transport.Input.TryRead(out _));
        await connection.ClosedAsync();
        await connection.DisposeAsync().WithDeadline();
        Assert.Equal(19, Assert.Single(host.LogsOf("ConnectionReset")).Id.Id);
        Assert.Empty(host.LogsOf("ConnectionError"));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-59"), Contract("K-69")]
    public async Task Complete_InputOnly_OutputGoesOnAndThePeersEndStillFiresTheToken(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        foreach (bool reset in new[] { false, true })
        {
            await using var host = new TransportHost(mode, driver, scheduling);
            (ConnectionContext connection, Socket client) = await host.ConnectAsync();
            await connection.Transport.Input.CompleteAsync();
            await connection.Transport.Output.WriteTextAsync("output");
            Assert.Equal("output"u8.ToArray(), await client.ReceiveExactlyAsync(6));
            Assert.False(connection.ConnectionClosed.IsCancellationRequested);
            Assert.Throws<InvalidOperationException>(() => connection.Transport.Input.TryRead(out _));
            if (reset)
            {
                client.Reset();
            }
            else
            {
                client.Shutdown(SocketShutdown.Send);
            }

            await connection.ClosedAsync();
        }
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-59"), Contract("K-81")]
    public async Task Complete_PausedWithUnreadBytes_GivesThemBack(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver, configure: o => o.MaxReadBufferSize = 8192);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        client.SendUntilFull();
        await connection.Transport.Input.CompleteAsync();
        PipeExtensions.Eventually(() => host.Pools.Outstanding == 0, "Unread blocks did not come back.");
        await connection.Transport.Output.WriteTextAsync("output");
        Assert.Equal("output"u8.ToArray(), await client.ReceiveExactlyAsync(6));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-63")]
    public async Task ReadAsync_LargeUpload_ArrivesInOrder(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        byte[] sent = new byte[10 * 1024 * 1024];
        new Random(3).NextBytes(sent);
        Task sending = client.SendAllAsync(sent);
        using var received = new MemoryStream();
        while (received.Length < sent.Length)
        {
            ReadResult result = await connection.Transport.Input.ReadSoonAsync();
            Assert.False(result.IsCompleted);
            foreach (ReadOnlyMemory<byte> piece in result.Buffer)
            {
                received.Write(piece.Span);
            }

            connection.Transport.Input.AdvanceTo(result.Buffer.End);
        }

        await sending;
        Assert.True(received.ToArray().AsSpan().SequenceEqual(sent));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-56")]
    public async Task IdleConnection_NothingReceivedYet_HoldsNoBlock(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        Assert.Equal(0, host.Pools.Rented);
        Task<ReadResult> waiting = connection.Transport.Input.ReadSoonAsync();
        Assert.Equal(0, host.Pools.Outstanding);
        await client.SendTextAsync("x");
        connection.Transport.Input.AdvanceTo((await waiting).Buffer.End);
        Task<ReadResult> next = connection.Transport.Input.ReadSoonAsync();
        PipeExtensions.Eventually(() => host.Pools.Outstanding == 0, "An idle connection holds a block.");
        connection.Transport.Input.CancelPendingRead();
        await next;
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-83")]
    public async Task ReadAsync_UnderASynchronizationContext_DoesNotPostToIt(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        var context = new RefusingContext();
        Task read = Task.Run(
            async () =>
            {
                SynchronizationContext.SetSynchronizationContext(context);
                await connection.Transport.Input.ReadAsync(TestContext.Current.CancellationToken);
            },
            TestContext.Current.CancellationToken);
        await client.SendTextAsync("x");
        await read.WithDeadline();
        Assert.Equal(0, context.Posts);
    }

    private sealed class RefusingContext : SynchronizationContext
    {
        internal int Posts { get; private set; }

        public override void Post(SendOrPostCallback d, object? state)
        {
            Posts++;
            base.Post(d, state);
        }
    }
}
