using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace LoopBridge.Transport.Tests.Kestrel.Adaptive;

/// <summary>When the bytes leave that a guest of a loop's thread has flushed: at the end of the turn, and no later than it has the loop.</summary>
public sealed class GuestSendTests : IDisposable
{
    // tcp(7): struct tcp_info, tcpi_data_segs_out.
    private const int TcpLevel = 6;
    private const int TcpInfo = 11;
    private const int DataSegmentsOut = 156;

    private readonly ManualResetEventSlim _release = new();

    public void Dispose()
    {
        _release.Set();
        _release.Dispose();
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-63")]
    public async Task Flushes_OfOneRun_LeaveTogetherAfterIt(LoopBridgeMode mode, LoopDriver driver)
    {
        const int Flushes = 16;
        await using TransportHost host = NewHost(mode, driver, overstayLimit: Deadline.Default);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        int sentWithin = -1;
        string place = "";
        Task run = OnFirstByteAsync(connection, async () =>
        {
            int before = SegmentsSent(connection);
            for (int i = 0; i < Flushes; i++)
            {
                await FlushAsync(connection, "0123456789");
            }

            place = Place.OfCaller(); // a flush that waited would have gone on elsewhere, or later
            sentWithin = SegmentsSent(connection) - before;
        });
        await client.SendTextAsync("x");
        await run.WithDeadline();

        await client.ReceiveExactlyAsync(Flushes * 10);
        Assert.Equal(Place.Loop, place);
        Assert.Equal(0, sentWithin);
        Assert.Equal(1, SegmentsSent(connection));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-63")]
    public async Task Flush_OfARunThatHasReturned_WaitsForTheOthersOfItsTurn(LoopBridgeMode mode, LoopDriver driver)
    {
        await using TransportHost host = NewHost(mode, driver, overstayLimit: Deadline.Default);
        Group both = await ConnectAsync(host, 2);
        int runs = 0;
        int sentBefore = -1;
        Task all = both.OnFirstByteAsync(async connection =>
        {
            if (++runs == 2)
            {
                sentBefore = both.Connections.Sum(SegmentsSent);
            }

            await FlushAsync(connection, "answer");
        });
        await both.WakeInOneTurnAsync(host);
        await all.WithDeadline();

        foreach (Socket client in both.Clients)
        {
            await client.ReceiveExactlyAsync("answer".Length);
        }

        Assert.Equal(0, sentBefore);
        Assert.All(both.Connections, connection => Assert.Equal(1, SegmentsSent(connection)));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-78")]
    public async Task Flush_OfTheRunBeforeOneThatOverstays_ArrivesWhileThatBlocks(LoopBridgeMode mode, LoopDriver driver)
    {
        await using TransportHost host = NewHost(mode, driver, overstayLimit: TimeSpan.FromMilliseconds(20));
        Group both = await ConnectAsync(host, 2);
        int runs = 0;
        Task all = both.OnFirstByteAsync(async connection =>
        {
            await FlushAsync(connection, "answer");
            if (++runs == 2)
            {
                Assert.True(_release.Wait(Deadline.Default));
                await FlushAsync(connection, "late");
            }
        });
        await both.WakeInOneTurnAsync(host);

        // The one that has returned, and the one that blocks: what it flushed before is not kept back either.
        await Task.WhenAll(both.Clients.Select(client => client.ReceiveExactlyAsync("answer".Length)));
        Assert.False(all.IsCompleted);
        _release.Set();
        await all.WithDeadline();
        Assert.Equal("late", await (await FirstReadableAsync(both.Clients)).ReceiveUntilAsync("late"));
    }

    // On the native loop. A reactor's turn has no other end than the calls before its poll, for which the rest of the turn comes first.
    [Theory, InlineData(LoopBridgeMode.ReactorOnLoop, LoopDriver.Epoll), InlineData(LoopBridgeMode.ReactorOnLoop, LoopDriver.Managed)]
    [Contract("K-78")]
    public async Task Flush_OfTheRunBeforeOneThatOverstays_LeavesBeforeAnythingElseRuns(LoopBridgeMode mode, LoopDriver driver)
    {
        await using TransportHost host = NewHost(mode, driver, overstayLimit: TimeSpan.FromMilliseconds(20));
        Group three = await ConnectAsync(host, 3);
        int runs = 0;
        ConnectionContext? returned = null;
        int sentByThen = -1;
        Task all = three.OnFirstByteAsync(async connection =>
        {
            switch (Interlocked.Increment(ref runs))
            {
                case 1:
                    returned = connection;
                    await FlushAsync(connection, "answer");
                    break;
                case 2:
                    Assert.True(_release.Wait(Deadline.Default));
                    break;
                default:
                    sentByThen = SegmentsSent(returned!);
                    _release.Set();
                    break;
            }
        });
        await three.WakeInOneTurnAsync(host);
        await all.WithDeadline();
        Assert.Equal(1, sentByThen);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-78")]
    public async Task Flush_OfARunThatHasLostItsLoop_LeavesAtOnce(LoopBridgeMode mode, LoopDriver driver)
    {
        await using TransportHost host = NewHost(mode, driver, overstayLimit: TimeSpan.FromMilliseconds(20));
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        using var gate = new SemaphoreSlim(0);
        Task run = OnFirstByteAsync(connection, async () =>
        {
            for (int i = 0; i < 5; i++)
            {
                await FlushAsync(connection, $"part {i}");
                Assert.True(gate.Wait(Deadline.Default, CancellationToken.None)); // the client has it before this run goes on
            }
        });
        await client.SendTextAsync("x");
        for (int i = 0; i < 5; i++)
        {
            await client.ReceiveUntilAsync($"part {i}");
            Assert.False(run.IsCompleted);
            gate.Release();
        }

        await run.WithDeadline();
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-61")]
    public async Task Flushes_BeyondTheWriteLimit_LeaveWithinTheRun(LoopBridgeMode mode, LoopDriver driver)
    {
        const int Limit = 16 * 1024;
        foreach (long? limit in (long?[])[Limit, null])
        {
            int most = (int)(limit ?? 64 * 1024); // Kestrel's default where there is no limit: what a run holds is bounded nonetheless
            _release.Reset();
            await using TransportHost host = NewHost(mode, driver, overstayLimit: Deadline.Default, options => options.MaxWriteBufferSize = limit);
            (ConnectionContext connection, Socket client) = await host.ConnectAsync();
            Task run = OnFirstByteAsync(connection, async () =>
            {
                int before = SegmentsSent(connection);
                await FlushAsync(connection, new string('a', most));
                Assert.Equal(before, SegmentsSent(connection)); // as much as may be held
                await FlushAsync(connection, "b");
                Assert.True(_release.Wait(Deadline.Default)); // and now the client has it all, though the run goes on
            });
            await client.SendTextAsync("x");
            byte[] received = await client.ReceiveExactlyAsync(most + 1);
            Assert.Equal((byte)'b', received[^1]);
            Assert.False(run.IsCompleted);
            _release.Set();
            await run.WithDeadline();
        }
    }

    private static TransportHost NewHost(
        LoopBridgeMode mode, LoopDriver driver, TimeSpan overstayLimit, Action<LoopBridgeOptions>? configure = null)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux tells of segments.");
        return new TransportHost(
            mode,
            driver,
            LoopScheduling.Adaptive,
            options =>
            {
                options.OverstayLimit = overstayLimit;
                configure?.Invoke(options);
            },
            loops: 1);
    }

    private static async Task<Group> ConnectAsync(TransportHost host, int count)
    {
        IConnectionListener listener = await host.BindAsync();
        var group = new Group(new ConnectionContext[count], new Socket[count]);
        for (int i = 0; i < count; i++)
        {
            (group.Connections[i], group.Clients[i]) = await host.ConnectAsync(listener);
        }

        return group;
    }

    // The code behind the read is the guest: nothing in between may take it elsewhere.
    private static async Task OnFirstByteAsync(ConnectionContext connection, Func<Task> run)
    {
        ReadResult result = await connection.Transport.Input.ReadAsync(CancellationToken.None);
        connection.Transport.Input.AdvanceTo(result.Buffer.End);
        await run();
    }

    private static ValueTask<FlushResult> FlushAsync(ConnectionContext connection, string text)
    {
        connection.Transport.Output.Write(System.Text.Encoding.ASCII.GetBytes(text));
        return connection.Transport.Output.FlushAsync(CancellationToken.None);
    }

    private static async Task<Socket> FirstReadableAsync(Socket[] clients)
    {
        Socket? readable = null;
        await Task.Yield();
        PipeExtensions.Eventually(() => (readable = Array.Find(clients, static client => client.Available > 0)) is not null, "Nothing arrived.");
        return readable!;
    }

    private static int SegmentsSent(ConnectionContext connection)
    {
        byte[] info = new byte[256];
        int length = connection.Features.Get<IConnectionSocketFeature>()!.Socket.GetRawSocketOption(TcpLevel, TcpInfo, info);
        Assert.SkipUnless(length >= DataSegmentsOut + sizeof(int), "This system does not tell of segments.");
        return MemoryMarshal.Read<int>(info.AsSpan(DataSegmentsOut));
    }

    /// <summary>Connections of one loop.</summary>
    private sealed record Group(ConnectionContext[] Connections, Socket[] Clients)
    {
        internal Task OnFirstByteAsync(Func<ConnectionContext, Task> run)
            => Task.WhenAll(Connections.Select(connection => GuestSendTests.OnFirstByteAsync(connection, () => run(connection))));

        /// <summary>A byte to each, such that one poll of the loop finds all.</summary>
        internal async Task WakeInOneTurnAsync(TransportHost host)
        {
            using HeldLoops held = HeldLoops.Hold(host.Group);
            foreach (Socket client in Clients)
            {
                await client.SendTextAsync("x");
            }

            foreach (ConnectionContext connection in Connections)
            {
                Assert.True(connection.Features.Get<IConnectionSocketFeature>()!.Socket.Poll(Deadline.Default, SelectMode.SelectRead));
            }
        }
    }
}
