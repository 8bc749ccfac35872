using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Transport.Tests.Kestrel;

public sealed class ListenerEndTests
{
    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-23"), Contract("K-33")]
    public async Task AcceptAsync_AfterUnbind_NullForThePendingAndForLaterCalls(LoopBridgeMode mode, LoopDriver driver)
    {
        using var port = new ReservedPort();
        await using var host = new TransportHost(mode, driver);
        IConnectionListener listener = await host.BindAsync(port.EndPoint);
        Task<ConnectionContext?> pending = listener.AcceptAsync(TestContext.Current.CancellationToken).AsTask();
        await listener.UnbindAsync(TestContext.Current.CancellationToken).WithDeadline();
        Assert.Null(await pending.WithDeadline());
        Assert.Null(await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline());
        SocketException refused = Assert.ThrowsAny<SocketException>(() => TransportHost.Dial(listener.EndPoint));
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        await listener.DisposeAsync().WithDeadline();
        Assert.Null(await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline());
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-34"), Contract("K-22")]
    public async Task UnbindAndDispose_TwiceAndInEitherOrder_AreHarmless(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        var cancelled = new CancellationToken(canceled: true);
        IConnectionListener unbindFirst = await host.BindAsync();
        await unbindFirst.UnbindAsync(cancelled).WithDeadline();
        await unbindFirst.UnbindAsync(cancelled).WithDeadline();
        await unbindFirst.DisposeAsync().WithDeadline();
        await unbindFirst.DisposeAsync().WithDeadline();
        await unbindFirst.UnbindAsync(cancelled).WithDeadline();
        IConnectionListener disposeFirst = await host.BindAsync();
        await disposeFirst.DisposeAsync().WithDeadline();
        await disposeFirst.UnbindAsync(cancelled).WithDeadline();
        Assert.Null(await disposeFirst.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline());
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-34")]
    public async Task UnbindAndDispose_AtTheSameTime_EndTogether(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        for (int round = 0; round < 20; round++)
        {
            IConnectionListener listener = await host.BindAsync();
            using Socket client = TransportHost.Dial(listener.EndPoint);
            Task first = listener.UnbindAsync(TestContext.Current.CancellationToken).AsTask();
            Task second = listener.UnbindAsync(TestContext.Current.CancellationToken).AsTask();
            await second.WithDeadline();
            Assert.True(first.IsCompleted, "The second call did not wait for what the first had begun.");
            await Task.WhenAll(listener.DisposeAsync().AsTask(), listener.DisposeAsync().AsTask()).WithDeadline();
        }
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-27")]
    public async Task AcceptAsync_Cancelled_ThrowsAndTheNextCallWorks(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        IConnectionListener listener = await host.BindAsync();
        using var cancel = new CancellationTokenSource();
        Task<ConnectionContext?> pending = listener.AcceptAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending.WithDeadline());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => listener.AcceptAsync(cancel.Token).WithDeadline());
        await host.ConnectAsync(listener);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-24"), Contract("K-25"), Contract("K-87")]
    public async Task AcceptAsync_ClientsThatResetAtOnce_NeverThrows(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        IConnectionListener listener = await host.BindAsync();
        for (int i = 0; i < 50; i++)
        {
            TransportHost.Dial(listener.EndPoint).Reset();
        }

        using Socket healthy = TransportHost.Dial(listener.EndPoint);
        for (int i = 0; ; i++)
        {
            ConnectionContext? connection = await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline();
            Assert.NotNull(connection);
            bool found = Equals(connection.RemoteEndPoint, healthy.LocalEndPoint);
            connection.Abort(new ConnectionAbortedException("The test has seen it."));
            await connection.DisposeAsync().WithDeadline();
            if (found)
            {
                return;
            }

            Assert.InRange(i, 0, 50);
        }
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-30"), Contract("K-24")]
    public async Task AcceptAsync_MoreConnectionsThanMayWait_AllArrive(LoopBridgeMode mode, LoopDriver driver)
    {
        const int Count = 400; // above the 256 that the listener takes in advance, below the backlog
        await using var host = new TransportHost(mode, driver, configure: o => o.Backlog = 1024);
        IConnectionListener listener = await host.BindAsync();
        Socket[] clients = [.. Enumerable.Range(0, Count).Select(_ => TransportHost.Dial(listener.EndPoint))];
        for (int i = 0; i < Count; i++)
        {
            ConnectionContext? connection = await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline();
            connection!.Abort(new ConnectionAbortedException("The test has seen it."));
            await connection.DisposeAsync().WithDeadline();
        }

        Array.ForEach(clients, client => client.Dispose());
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-33"), Contract("K-35")]
    public async Task DisposeAsync_ConnectionsNobodyTook_AreEnded(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        IConnectionListener listener = await host.BindAsync();
        using Socket client = TransportHost.Dial(listener.EndPoint);
        PipeExtensions.Eventually(() => host.Connections == 1, "The connection was not accepted.");
        await listener.DisposeAsync().WithDeadline();
        await client.AssertResetAsync();
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-35"), Contract("K-81")]
    public async Task DisposeAsync_LiveConnection_GoesOnAndItsPoolLivesWithIt(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        IConnectionListener listener = await host.BindAsync();
        (ConnectionContext connection, Socket client) = await host.ConnectAsync(listener);
        await listener.DisposeAsync().WithDeadline();
        Assert.Equal(1, host.Pools.Open);
        await client.SendTextAsync("still there");
        Assert.Equal("still there", await connection.Transport.Input.ReadTextAsync(11));
        await connection.Transport.Output.WriteTextAsync("so am I");
        await client.ReceiveExactlyAsync(7);
        await connection.DisposeAsync().WithDeadline();
        Assert.Equal(0, host.Pools.Open);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-36")]
    public async Task UnbindAsync_OneOfTwoListeners_TheOtherServes(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        IConnectionListener ends = await host.BindAsync();
        IConnectionListener stays = await host.BindAsync();
        await ends.DisposeAsync().WithDeadline();
        (ConnectionContext connection, Socket client) = await host.ConnectAsync(stays);
        await client.SendTextAsync("x");
        Assert.Equal("x", await connection.Transport.Input.ReadTextAsync(1));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-35")]
    public async Task DisposeAsync_BuffersReturnedAfterEverything_AreTaken(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        IConnectionListener listener = await host.BindAsync();
        (ConnectionContext connection, Socket client) = await host.ConnectAsync(listener);
        await client.SendTextAsync("kept");
        ReadResult kept = await connection.Transport.Input.ReadSoonAsync();
        connection.Abort(new ConnectionAbortedException("The limit of patience."));
        await listener.DisposeAsync().WithDeadline();
        PipeExtensions.Eventually(() => host.Connections == 0, "The abort did not end it.");
        Assert.Equal("kept", Encoding.ASCII.GetString(kept.Buffer)); // not given away under the reader's hands
        connection.Transport.Input.AdvanceTo(kept.Buffer.End);
        await connection.Transport.Input.CompleteAsync();
        await connection.DisposeAsync().WithDeadline();
        Assert.Equal((0, 0), (host.Pools.Outstanding, host.Pools.Open));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-28")]
    public async Task AcceptAsync_Connection_ReceivesBeforeAnybodyReads(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        await client.SendTextAsync("early");
        PipeExtensions.Eventually(() => host.Pools.Outstanding > 0, "Nothing was received.");
        Assert.Equal("early", await connection.Transport.Input.ReadTextAsync(5));
        client.Shutdown(SocketShutdown.Send);
        await connection.ClosedAsync();
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-37"), Contract("K-22")]
    public async Task UnbindAndDispose_OnAThreadThatBlocksInItsContext_NeedNotThatThread(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        IConnectionListener listener = await host.BindAsync();
        await host.ConnectAsync(listener);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            SynchronizationContext.SetSynchronizationContext(new DeafContext());
            listener.UnbindAsync(new CancellationToken(canceled: true)).AsTask().Wait(Deadline.Default);
            listener.DisposeAsync().AsTask().Wait(Deadline.Default);
            ended.SetResult();
        }).Start();
        await ended.Task.WithDeadline();
        Assert.Null(await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline());
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-29")]
    public async Task AcceptAsync_Pending_IsNotContinuedOnALoop(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        IConnectionListener listener = await host.BindAsync();
        Task<bool> onLoop = AcceptAsync();
        using Socket client = TransportHost.Dial(listener.EndPoint);
        Assert.False(await onLoop.WithDeadline());

        async Task<bool> AcceptAsync()
        {
            ConnectionContext? connection = await listener.AcceptAsync(TestContext.Current.CancellationToken).ConfigureAwait(false);
            host.OwnAtEnd(connection!);
            return host.Group.Members.Any(member => member.Loop.IsOnLoopThread);
        }
    }
}
