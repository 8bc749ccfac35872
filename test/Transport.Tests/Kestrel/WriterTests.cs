using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using LoopBridge.Kestrel;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Transport.Tests.Kestrel;

public sealed class WriterTests
{
    private const int Blocking = 16 * 1024 * 1024;

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-65")]
    public async Task UnflushedBytes_AreCounted(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        PipeWriter output = connection.Transport.Output;
        Assert.True(output.CanGetUnflushedBytes);
        output.Write("abc"u8);
        output.Write(new byte[10_000]);
        Assert.Equal(10_003, output.UnflushedBytes);
        FlushResult result = await output.FlushAsync(TestContext.Current.CancellationToken).WithDeadline();
        Assert.False(result.IsCanceled || result.IsCompleted);
        Assert.Equal(0, output.UnflushedBytes);
        await client.ReceiveExactlyAsync(10_003);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-61"), Contract("K-63")]
    public async Task FlushAsync_PeerDoesNotRead_WaitsUntilHalfTheLimitIsGone(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        Task blocked = Block(connection, TestContext.Current.CancellationToken);
        await client.ReceiveExactlyAsync(Blocking);
        await blocked;
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-61")]
    public async Task FlushAsync_LimitOff_NeverWaits(LoopBridgeMode mode, LoopDriver driver)
    {
        foreach (long? limit in new long?[] { null, 0 })
        {
            await using var host = new TransportHost(mode, driver, configure: o => o.MaxWriteBufferSize = limit);
            (ConnectionContext connection, Socket client) = await host.ConnectAsync();
            Task<FlushResult> flush = connection.Transport.Output.WriteAsync(new byte[Blocking], TestContext.Current.CancellationToken).AsTask();
            Assert.True(flush.IsCompleted);
            await client.ReceiveExactlyAsync(Blocking);
        }
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-65")]
    public async Task CancelPendingFlush_BlockedFlush_ReturnsCancelledAndNothingIsLost(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        Task<FlushResult> blocked = Block(connection, TestContext.Current.CancellationToken);
        connection.Transport.Output.CancelPendingFlush();
        Assert.True((await blocked).IsCanceled);
        Task<FlushResult> again = connection.Transport.Output.FlushAsync(TestContext.Current.CancellationToken).WithDeadline();
        Assert.False(again.IsCompleted);
        await client.ReceiveExactlyAsync(Blocking);
        Assert.False((await again).IsCanceled);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-65")]
    public async Task CancelPendingFlush_NothingWaits_CancelsTheNextFlushAlone(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, _) = await host.ConnectAsync();
        connection.Transport.Output.CancelPendingFlush();
        Assert.True((await connection.Transport.Output.FlushAsync(TestContext.Current.CancellationToken).WithDeadline()).IsCanceled);
        Assert.False((await connection.Transport.Output.FlushAsync(TestContext.Current.CancellationToken).WithDeadline()).IsCanceled);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    public async Task FlushAsync_TokenFiresWhileBlocked_Throws(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, _) = await host.ConnectAsync();
        using var cancel = new CancellationTokenSource();
        Task<FlushResult> blocked = Block(connection, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => blocked);
        connection.Abort(new ConnectionAbortedException("The peer does not read."));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-62"), Contract("K-53")]
    public async Task FlushAsync_PeerResetsWhileBlockedAndReadsPaused_IsReleasedAndAllEnds(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling, o => o.MaxReadBufferSize = 4096);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        client.SendUntilFull();
        Task<FlushResult> blocked = Block(connection, TestContext.Current.CancellationToken);
        client.Reset();
        Assert.True((await blocked).IsCompleted);
        await connection.ClosedAsync();
        await Assert.ThrowsAsync<ConnectionResetException>(() => connection.Transport.Input.ReadSoonAsync());
        Assert.True((await connection.Transport.Output.WriteAsync(new byte[10_000], TestContext.Current.CancellationToken).WithDeadline()).IsCompleted);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-62")]
    public async Task WriteAsync_AfterAbort_DoesNothingAndReportsCompleted(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, _) = await host.ConnectAsync();
        connection.Abort(new ConnectionAbortedException("Enough."));
        await connection.ClosedAsync();
        for (int i = 0; i < 100; i++)
        {
            FlushResult result = await connection.Transport.Output.WriteAsync(new byte[10_000], TestContext.Current.CancellationToken).WithDeadline();
            Assert.True(result.IsCompleted);
        }

        Assert.Equal(0, host.Pools.Outstanding);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-63")]
    public async Task WriteAsync_LargeDownloadInManyPieces_ArrivesInOrder(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        byte[] bytes = new byte[10 * 1024 * 1024];
        new Random(4).NextBytes(bytes);
        Task<byte[]> receiving = client.ReceiveToEndAsync();
        var sizes = new Random(5);
        for (int position = 0; position < bytes.Length;)
        {
            int count = Math.Min(sizes.Next(1, 200_000), bytes.Length - position);
            await connection.Transport.Output.WriteAsync(bytes.AsMemory(position, count), TestContext.Current.CancellationToken).WithDeadline();
            position += count;
        }

        await connection.Transport.Output.CompleteAsync();
        Assert.True((await receiving).AsSpan().SequenceEqual(bytes));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-64"), Contract("K-85")]
    public async Task Complete_Output_SendsAllThenFinAndTheWaitingReadThrows(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        Task<ReadResult> waiting = connection.Transport.Input.ReadSoonAsync();
        connection.Transport.Output.Write("not flushed"u8);
        await connection.Transport.Output.CompleteAsync();
        await connection.Transport.Output.CompleteAsync();
        Assert.Equal("not flushed", await client.ReceiveTextToEndAsync());
        await Assert.ThrowsAsync<ConnectionAbortedException>(() => waiting);
        await connection.ClosedAsync();
        Assert.Throws<InvalidOperationException>(() => connection.Transport.Output.GetMemory());
        LogEntry fin = Assert.Single(host.LogsOf("ConnectionWriteFin"));
        Assert.Equal(7, fin.Id.Id);
        Assert.Contains("completed gracefully", fin.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-72"), Contract("K-76"), Contract("K-85")]
    public async Task Complete_OutputWithError_ResetsAndReadsThrowThatVeryObject(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        Task<ReadResult> waiting = connection.Transport.Input.ReadSoonAsync();
        connection.Transport.Output.Write("not flushed"u8);
        var error = new InvalidOperationException("The handler broke.");
        await connection.Transport.Output.CompleteAsync(error);
        Assert.Same(error, await Assert.ThrowsAsync<InvalidOperationException>(() => waiting));
        await client.AssertResetAsync();
        await connection.ClosedAsync();
        Assert.Equal(14, Assert.Single(host.LogsOf("ConnectionError")).Id.Id);
        Assert.Contains("The handler broke.", Assert.Single(host.LogsOf("ConnectionWriteRst")).Message, StringComparison.Ordinal);
        Assert.Empty(host.LogsOf("ConnectionWriteFin"));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-76"), Contract("K-60"), Contract("K-86"), Contract("K-85")]
    public async Task Send_Fails_EndsReadsForThatReasonAndLogsOneEnd(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling, o => o.MaxReadBufferSize = 4096);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        client.SendUntilFull(); // paused: only a send finds out that the peer has gone
        PipeExtensions.Eventually(() => host.LogsOf("ConnectionPause").Length == 1, "The connection did not pause.");
        client.Reset();
        while (!(await connection.Transport.Output.WriteAsync(new byte[100], TestContext.Current.CancellationToken).WithDeadline()).IsCompleted)
        {
            await host.SettleAsync();
        }

        await connection.ClosedAsync();
        await Assert.ThrowsAsync<ConnectionResetException>(() => connection.Transport.Input.ReadSoonAsync());
        await connection.DisposeAsync().WithDeadline();
        Assert.Single(host.LogsOf("ConnectionReset"));
        Assert.Single(host.LogsOf("ConnectionWriteRst"));
        Assert.Empty(host.LogsOf("ConnectionWriteFin"));
        Assert.Empty(host.LogsOf("ConnectionReadFin"));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-61")]
    public async Task FlushAsync_NewsOfAnEarlierOne_DoesNotReleaseIt(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        Task blocked = Block(connection, TestContext.Current.CancellationToken);
        for (int i = 0; i < 10; i++)
        {
            // What a send on another thread has told the loop comes late: here, for a flush that saw by itself that it could go on.
            await TransportHost.OnLoopOfAsync(connection, () => ((LoopPipeWriter)connection.Transport.Output).OnDrained());
        }

        Assert.False(blocked.IsCompleted);
        await client.ReceiveExactlyAsync(Blocking);
        await blocked;
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-63")]
    public async Task FlushAsync_MorePiecesThanOneGatherTakes_ArriveInOrder(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        const int Pieces = 3000; // IOV_MAX is 1024
        await using var host = new TransportHost(mode, driver, scheduling, o => o.MaxWriteBufferSize = null);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        byte[] bytes = new byte[Pieces * 2100];
        new Random(6).NextBytes(bytes);
        PipeWriter output = connection.Transport.Output;
        for (int i = 0; i < Pieces; i++)
        {
            Memory<byte> room = output.GetMemory(2100); // twice is more than one block has: each gets its own
            bytes.AsSpan(i * 2100, 2100).CopyTo(room.Span);
            output.Advance(2100);
        }

        Task<byte[]> receiving = client.ReceiveExactlyAsync(bytes.Length);
        await output.FlushAsync(TestContext.Current.CancellationToken).WithDeadline();
        Assert.True((await receiving).AsSpan().SequenceEqual(bytes));
    }

    // More than the buffers of both kernel sockets hold (tcp_wmem, tcp_rmem: 4 and 6 MiB at most by default), so that the flush waits for
    // as long as the peer does not read.
    private static Task<FlushResult> Block(ConnectionContext connection, CancellationToken cancellationToken)
    {
        Task<FlushResult> flush = connection.Transport.Output.WriteAsync(new byte[Blocking], cancellationToken).WithDeadline();
        Assert.False(flush.IsCompleted);
        return flush;
    }
}
