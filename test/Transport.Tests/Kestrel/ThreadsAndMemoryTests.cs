using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;

namespace LoopBridge.Transport.Tests.Kestrel;

public sealed class ThreadsAndMemoryTests
{
    private static readonly AsyncLocal<string?> Ambient = new();

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-80"), Contract("K-36")]
    public async Task Connections_OfTwoListeners_SpreadEvenlyOverTheLoopsTheyShare(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver, loops: 3);
        IConnectionListener[] listeners = [await host.BindAsync(), await host.BindAsync()];
        for (int i = 0; i < 12; i++)
        {
            await host.ConnectAsync(listeners[i % 2]);
        }

        Assert.All(host.Group.Members, member => Assert.Equal(4, member.Connections));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-84")]
    public async Task ConnectionWork_AmbientContextOfWhoBoundAndAccepted_IsNotThere(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        Ambient.Value = "of whoever called";
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        var read = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var flushed = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var closed = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
#pragma warning disable CA2012 // Without the compiler's help, which would bring the caller's context along.
        connection.Transport.Input.ReadAsync(CancellationToken.None).GetAwaiter().UnsafeOnCompleted(() => read.SetResult(Ambient.Value));
        connection.Transport.Output.WriteAsync(new byte[16 * 1024 * 1024], CancellationToken.None).GetAwaiter()
            .UnsafeOnCompleted(() => flushed.SetResult(Ambient.Value));
#pragma warning restore CA2012
        connection.ConnectionClosed.UnsafeRegister(_ => closed.SetResult(Ambient.Value), null);
        await client.SendTextAsync("x");
        Assert.Null(await read.Task.WithDeadline());
        await client.ReceiveExactlyAsync(16 * 1024 * 1024);
        Assert.Null(await flushed.Task.WithDeadline());
        client.Reset();
        Assert.Null(await closed.Task.WithDeadline());
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-82")]
    public async Task Receive_LittleRoomLeftInTheBlock_TakesAnother(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        PipeReader input = connection.Transport.Input;
        await client.SendAllAsync(new byte[3000]);
        ReadResult first = await input.ReadAtLeastAsync(3000, TestContext.Current.CancellationToken).WithDeadline();
        input.AdvanceTo(first.Buffer.Start, first.Buffer.End);
        await client.SendAllAsync(new byte[2000]);
        ReadResult both = await input.ReadAtLeastAsync(5000, TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal([3000, 2000], Lengths(both.Buffer)); // not 1096 and 904 more, each by a call of its own
        input.AdvanceTo(both.Buffer.End);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-56"), Contract("K-81"), Contract("K-82")]
    public async Task IdleConnections_AfterTraffic_HoldNoBlock(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        IConnectionListener listener = await host.BindAsync();
        for (int i = 0; i < 10; i++)
        {
            (ConnectionContext connection, Socket client) = await host.ConnectAsync(listener);
            Task echoing = EchoAsync(connection);
            for (int round = 0; round < 20; round++)
            {
                byte[] bytes = new byte[1 + (round * 997)];
                await client.SendAllAsync(bytes);
                await client.ReceiveExactlyAsync(bytes.Length);
            }

            host.OwnAtEnd(new Ending(client, echoing));
        }

        PipeExtensions.Eventually(() => host.Pools.Outstanding == 0, $"Idle connections hold {host.Pools.Outstanding} blocks.");
        Assert.True(host.Pools.Rented > 0);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-81")]
    public async Task Pools_OfAListener_CloseWithItAndItsLastConnection(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        IConnectionListener first = await host.BindAsync();
        IConnectionListener second = await host.BindAsync();
        (ConnectionContext connection, Socket client) = await host.ConnectAsync(first);
        Assert.Equal(4, host.Pools.Open);
        await first.DisposeAsync().AsTask().WithDeadline();
        await client.SendTextAsync("still served");
        Assert.Equal("still served", await connection.Transport.Input.ReadTextAsync(12));
        Assert.Equal(3, host.Pools.Open);
        await connection.DisposeAsync().WithDeadline();
        PipeExtensions.Eventually(() => host.Pools.Open == 2, "The pools of a listener outlived it and its connections.");
        await second.DisposeAsync().AsTask().WithDeadline();
        Assert.Equal(0, host.Pools.Open);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-51")]
    public async Task MaxRequestBufferSize_OfKestrel_DoesNotReachTheTransport(LoopBridgeMode mode, LoopDriver driver)
    {
        const int Unread = 256 * 1024;
        var accepted = new TaskCompletionSource<ConnectionContext>(TaskCreationOptions.RunContinuationsAsynchronously);
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(mode, driver, k =>
        {
            k.Limits.MaxRequestLineSize = 512;
            k.Limits.MaxRequestHeadersTotalSize = 512;
            k.Limits.MaxRequestBufferSize = 1024;
            k.Listen(IPAddress.Loopback, 0, l => l.Run(async connection =>
            {
                accepted.SetResult(connection);
                await end.Task;
            }));
        });
        using Socket client = TransportHost.Dial(server.EndPoint());
        await client.SendAllAsync(new byte[Unread]);
        ConnectionContext served = await accepted.Task.WithDeadline();
        ReadResult all = await served.Transport.Input.ReadAtLeastAsync(Unread, TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal(Unread, all.Buffer.Length);
        Assert.DoesNotContain(server.Logs.Entries, entry => entry.Id.Name == "ConnectionPause");
        end.SetResult();
    }

    // [once]: Kestrel's, whatever is below.
    [Fact]
    [Contract("K-47"), Contract("K-48")]
    public async Task Features_OnKestrel_HeartbeatIsThereAndTransportFeaturesOfOthersAreNot()
    {
        var seen = new TaskCompletionSource<ConnectionContext>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            LoopBridgeMode.ReactorOnLoop,
            LoopDriver.Auto,
            k => k.Listen(IPAddress.Loopback, 0, l => l.Run(connection =>
            {
                seen.SetResult(connection);
                return Task.CompletedTask;
            })));
        using Socket client = TransportHost.Dial(server.EndPoint());
        ConnectionContext connection = await seen.Task.WithDeadline();
        Assert.NotNull(connection.Features.Get<IConnectionHeartbeatFeature>());
        Assert.NotNull(connection.Features.Get<IConnectionLifetimeNotificationFeature>());
        Assert.NotNull(connection.Features.Get<IConnectionCompleteFeature>());
        Assert.Null(connection.Features.Get<IConnectionInherentKeepAliveFeature>());
        Assert.Null(connection.Features.Get<ITransferFormatFeature>());
        Assert.Null(connection.Features.Get<IConnectionUserFeature>());
        Assert.Null(connection.Features.Get<IPersistentStateFeature>());
        Assert.Null(connection.Features.Get<IStreamIdFeature>());
    }

    private static int[] Lengths(ReadOnlySequence<byte> sequence)
    {
        var lengths = new List<int>();
        foreach (ReadOnlyMemory<byte> piece in sequence)
        {
            lengths.Add(piece.Length);
        }

        return [.. lengths];
    }

    private static async Task EchoAsync(ConnectionContext connection)
    {
        while (true)
        {
            ReadResult result = await connection.Transport.Input.ReadAsync(CancellationToken.None).ConfigureAwait(false);
            foreach (ReadOnlyMemory<byte> piece in result.Buffer)
            {
                connection.Transport.Output.Write(piece.Span);
            }

            connection.Transport.Input.AdvanceTo(result.Buffer.End);
            await connection.Transport.Output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            if (result.IsCompleted)
            {
                return;
            }
        }
    }

    private sealed class Ending(Socket client, Task echoing) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            client.Shutdown(SocketShutdown.Send);
            await echoing.WithDeadline();
        }
    }
}
