using System.Diagnostics;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Transport.Tests.Kestrel;

public sealed class ConnectionEndTests
{
    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-70"), Contract("K-72"), Contract("K-85"), Contract("K-86")]
    public async Task Abort_WithReason_ResetsAndReadsThrowThatVeryObject(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        Task<ReadResult> waiting = connection.Transport.Input.ReadSoonAsync();
        var reason = new ConnectionAbortedException("First.");
        connection.Abort(reason);
        connection.Abort(new ConnectionAbortedException("Second."));
        Assert.Same(reason, await Assert.ThrowsAsync<ConnectionAbortedException>(() => waiting));
        Assert.Same(reason, await Assert.ThrowsAsync<ConnectionAbortedException>(() => connection.Transport.Input.ReadSoonAsync()));
        await client.AssertResetAsync();
        await connection.DisposeAsync().WithDeadline();
        connection.Abort(reason);
        LogEntry log = Assert.Single(host.LogsOf("ConnectionWriteRst"));
        Assert.Equal(8, log.Id.Id);
        Assert.Contains("First.", log.Message, StringComparison.Ordinal);
        Assert.Empty(host.LogsOf("ConnectionWriteFin"));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-86"), Contract("K-87"), Contract("K-85")]
    public async Task AnyEnd_OfTheClient_IsLoggedOnceAndAtDebug(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        Action<Socket>[] ends = [client => client.Shutdown(SocketShutdown.Send), ClientSocket.Reset, client => client.Dispose()];
        foreach (Action<Socket> end in ends)
        {
            (ConnectionContext connection, Socket client) = await host.ConnectAsync();
            string id = connection.ConnectionId;
            await client.SendTextAsync("unread");
            end(client);
            await connection.ClosedAsync();
            await connection.Transport.Output.WriteTextAsync("too late, perhaps");
            await connection.DisposeAsync().WithDeadline();
            LogEntry[] logs = [.. host.Logs.Entries.Where(entry => entry.Message.Contains(id, StringComparison.Ordinal))];
            Assert.Single(logs, entry => entry.Id.Name is "ConnectionWriteFin" or "ConnectionWriteRst");
            Assert.InRange(logs.Count(entry => entry.Id.Name == "ConnectionReadFin"), 0, 1);
            Assert.InRange(logs.Count(entry => entry.Id.Name == "ConnectionReset"), 0, 1);
            Assert.All(logs, entry => Assert.Equal(Microsoft.Extensions.Logging.LogLevel.Debug, entry.Level));
            Assert.DoesNotContain(logs, entry => entry.Id.Name == "ConnectionError");
        }
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-71"), Contract("K-85")]
    public async Task Abort_Null_IsAQuietCloseWithFin(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        client.Shutdown(SocketShutdown.Send);
        await connection.Transport.Input.DrainAsync();
        connection.Abort(null!);
        Assert.Empty(await client.ReceiveToEndAsync());
        await connection.ClosedAsync();
        Assert.Single(host.LogsOf("ConnectionWriteFin"));
        Assert.Empty(host.LogsOf("ConnectionWriteRst"));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-70")]
    public async Task Abort_ReadsPausedAndFlushBlocked_EndsBoth(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling, o => o.MaxReadBufferSize = 4096);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        client.SendUntilFull();
        Task<FlushResult> blocked = connection.Transport.Output.WriteAsync(new byte[16 * 1024 * 1024], TestContext.Current.CancellationToken).WithDeadline();
        Assert.False(blocked.IsCompleted);
        var reason = new ConnectionAbortedException("Too slow.");
        connection.Abort(reason);
        Assert.True((await blocked).IsCompleted);
        Assert.Same(reason, await Assert.ThrowsAsync<ConnectionAbortedException>(() => connection.Transport.Input.ReadSoonAsync()));
        await client.AssertResetAsync();
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-52"), Contract("K-85")]
    public async Task Abort_PeerFinUnobservedWhilePaused_Resets(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver, configure: o => o.MaxReadBufferSize = 4096);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        client.SendUntilFull();
        client.Shutdown(SocketShutdown.Send);
        connection.Abort(new ConnectionAbortedException("Not observed."));
        await client.AssertResetAsync();
        Assert.Single(host.LogsOf("ConnectionWriteRst"));
        Assert.Empty(host.LogsOf("ConnectionReadFin"));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-73")]
    public async Task Abort_FinOnError_SendsFin(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver, configure: o => o.FinOnError = true);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        connection.Abort(new ConnectionAbortedException("Enough."));
        Assert.Empty(await client.ReceiveToEndAsync());
        Assert.Single(host.LogsOf("ConnectionWriteFin"));
    }

    // In a process of its own: the switch is the process's, and other tests run in this one.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Contract("K-73")]
    public async Task FinOnError_Default_IsWhatTheSwitchSays(bool isOn)
    {
        string worker = Path.Combine(AppContext.BaseDirectory, "LoopBridge.Worker.dll");
        using Process child = Process.Start(new ProcessStartInfo("dotnet", [worker, "fin-on-error", isOn.ToString()]) { RedirectStandardOutput = true })!;
        Assert.Equal(isOn.ToString(), await child.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WithDeadline());
        await child.WaitForExitAsync(TestContext.Current.CancellationToken).WithDeadline();
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-60"), Contract("K-69"), Contract("K-72")]
    public async Task Input_Ends_WithTheReasonOfTheFirstEnd(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);

        // Nothing: the peer has finished, and what comes later does not change that.
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await connection.Transport.Input.DrainAsync());
        connection.Abort(new ConnectionAbortedException("Later."));
        await connection.DisposeAsync().WithDeadline();

        // The error of the receive; here an abort is late.
        (connection, client) = await host.ConnectAsync();
        client.Reset();
        await connection.ClosedAsync();
        connection.Abort(new ConnectionAbortedException("Later."));
        await Assert.ThrowsAsync<ConnectionResetException>(() => connection.Transport.Input.ReadSoonAsync());

        // The reason of the abort, also for a peer that resets afterwards; and unread bytes are no more than that.
        (connection, client) = await host.ConnectAsync();
        await client.SendTextAsync("unread");
        await host.SettleAsync();
        var reason = new ConnectionAbortedException("First.");
        connection.Abort(reason);
        client.Reset();
        await connection.ClosedAsync();
        Assert.Same(reason, await Assert.ThrowsAsync<ConnectionAbortedException>(() => connection.Transport.Input.ReadSoonAsync()));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-49")]
    public async Task Abort_WithoutReason_EndsOnceAndDoesNotRecurse(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        connection.Abort();
        await client.AssertResetAsync();
        (connection, client) = await host.ConnectAsync();
        connection.Features.Get<Microsoft.AspNetCore.Connections.Features.IConnectionLifetimeFeature>()!.Abort();
        await client.AssertResetAsync();
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-66"), Contract("K-68"), Contract("K-69")]
    public async Task DisposeAsync_TransportReplaced_ClosesThePipesItWasBornWith(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        connection.Transport = new OtherPipe();
        await connection.DisposeAsync().WithDeadline();
        Assert.True(connection.ConnectionClosed.IsCancellationRequested);
        await connection.DisposeAsync().WithDeadline();
        Assert.Empty(await client.ReceiveToEndAsync());
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-67")]
    public async Task DisposeAsync_SlowPeer_SendsWhatWasFlushedFirst(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        const int Size = 16 * 1024 * 1024;
        await using var host = new TransportHost(mode, driver, scheduling, o => o.MaxWriteBufferSize = null);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        await connection.Transport.Output.WriteAsync(new byte[Size], TestContext.Current.CancellationToken).WithDeadline();
        Task disposing = connection.DisposeAsync().AsTask();
        Assert.False(disposing.IsCompleted);
        Assert.Equal(Size, (await client.ReceiveToEndAsync()).Length);
        await disposing.WithDeadline();
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-67"), Contract("K-70")]
    public async Task Abort_DisposeWaitsForASlowPeer_CutsItShort(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling, o => o.MaxWriteBufferSize = null);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        await connection.Transport.Output.WriteAsync(new byte[16 * 1024 * 1024], TestContext.Current.CancellationToken).WithDeadline();
        Task disposing = connection.DisposeAsync().AsTask();
        Assert.False(disposing.IsCompleted);
        connection.Abort(new ConnectionAbortedException("Too slow."));
        await disposing.WithDeadline();
        await client.AssertResetAsync();
        Assert.Single(host.LogsOf("ConnectionWriteRst"));
        Assert.Empty(host.LogsOf("ConnectionWriteFin"));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-68"), Contract("K-77"), Contract("K-87")]
    public async Task DisposeAsync_TwiceAtOnceWithAbortAndPeerClose_EndsCleanly(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        IConnectionListener listener = await host.BindAsync();
        for (int i = 0; i < 50; i++)
        {
            (ConnectionContext connection, Socket client) = await host.ConnectAsync(listener);
            connection.Transport.Output.GetMemory(100);
            connection.Transport.Output.Advance(100);
            await Task.WhenAll(
                Task.Run(async () => await connection.DisposeAsync(), CancellationToken.None),
                Task.Run(async () => await connection.DisposeAsync(), CancellationToken.None),
                Task.Run(() => connection.Abort(new ConnectionAbortedException("At once.")), CancellationToken.None),
                Task.Run(client.Reset, CancellationToken.None)).WithDeadline();
            Assert.True(connection.ConnectionClosed.IsCancellationRequested);
        }
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-69")]
    public async Task ConnectionClosed_CallbackOfPeerFinStillRuns_DisposeWaitsForIt(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        using var gate = new ManualResetEventSlim();
        var entered = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        int fired = 0;
        connection.ConnectionClosed.Register(() =>
        {
            entered.SetResult(host.Group.Members.Any(member => member.Loop.IsOnLoopThread));
            gate.Wait();
            fired++;
        });
        client.Shutdown(SocketShutdown.Send);
        Assert.False(await entered.Task.WithDeadline(), "The callback runs on a loop.");
        Task<int> firedAtReturn = DisposeAsync();
        await client.ReceiveToEndAsync();
        PipeExtensions.Eventually(() => host.Connections == 0, "The connection did not close.");

        // What would end the dispose too early is queued by now: let the pool run it.
        for (int i = 0; i < 100 && !firedAtReturn.IsCompleted; i++)
        {
            await Task.Yield();
        }

        gate.Set();
        Assert.Equal(1, await firedAtReturn.WithDeadline());

        async Task<int> DisposeAsync()
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            return Volatile.Read(ref fired);
        }
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-69")]
    public async Task ConnectionClosed_CallbackThrows_IsLoggedAndTheConnectionEnds(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver) { Expected = entry => entry.Id.Name == "ConnectionClosedCallbackFailed" };
        (ConnectionContext connection, _) = await host.ConnectAsync();
        connection.ConnectionClosed.Register(static () => throw new InvalidOperationException("The callback broke."));
        await connection.DisposeAsync().WithDeadline();
        LogEntry log = Assert.Single(host.LogsOf("ConnectionClosedCallbackFailed"));
        Assert.Equal(Microsoft.Extensions.Logging.LogLevel.Error, log.Level);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-43")]
    public async Task EndPoints_AfterClose_AreStillThereAndEqual(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        EndPoint local = connection.LocalEndPoint!;
        EndPoint remote = connection.RemoteEndPoint!;
        Assert.Equal(client.RemoteEndPoint, local);
        Assert.Equal(client.LocalEndPoint, remote);
        Assert.IsType<IPEndPoint>(local);
        Assert.IsType<IPEndPoint>(remote);
        client.Reset();
        await connection.ClosedAsync();
        await connection.DisposeAsync().WithDeadline();
        Assert.Equal(local, connection.LocalEndPoint);
        Assert.Equal(remote, connection.RemoteEndPoint);
    }

    private sealed class OtherPipe : IDuplexPipe
    {
        private readonly Pipe _pipe = new();

        public PipeReader Input => _pipe.Reader;

        public PipeWriter Output => _pipe.Writer;
    }
}
