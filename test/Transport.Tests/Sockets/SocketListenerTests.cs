using System.Net;
using System.Net.Sockets;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Sockets;

public sealed class SocketListenerTests
{
    public static TheoryData<Ground> Grounds => [.. Enum.GetValues<Ground>()];

    [Theory]
    [MemberData(nameof(Grounds))]
    public async Task Accept_Connections_EachWithItsEndPoints(Ground ground)
    {
        await using Listening listening = await Listening.OpenAsync(ground);
        EndPoint? local = null;
        EndPoint? remote = null;
        SynchronizationContext? context = null;
        listening.OnAccepted = raw => (local, remote, context) = (raw.LocalEndPoint, raw.RemoteEndPoint, SynchronizationContext.Current);

        using Socket client = listening.Connect();
        await listening.WaitAcceptedAsync(1);

        Assert.Equal(client.RemoteEndPoint, local);
        Assert.Equal(client.LocalEndPoint, remote);
        Assert.Null(context);
    }

    [Theory]
    [MemberData(nameof(Grounds))]
    public async Task Accept_MoreThanABatch_YieldsToTheLoopAndTakesAll(Ground ground)
    {
        const int Count = 300;
        await using Listening listening = await Listening.OpenAsync(ground, start: false);
        var clients = Enumerable.Range(0, Count).Select(_ => listening.Connect()).ToList();
        var batches = new Dictionary<long, int>();
        listening.OnAccepted = _ =>
        {
            long turn = listening.Loop.Turns;
            batches[turn] = batches.GetValueOrDefault(turn) + 1;
        };

        await listening.Loop.InvokeAsync(listening.Listener.Start);
        await listening.WaitAcceptedAsync(Count);

        // What arrives, and what is left over, may come in one turn: two batches.
        Assert.All(batches.Values, count => Assert.InRange(count, 1, 128));
        await Spin.AssertNoneAsync(listening.Loop);
        clients.ForEach(client => client.Dispose());
    }

    [Theory]
    [MemberData(nameof(Grounds))]
    public async Task Pause_ThenResume_ConnectionsWaitInTheQueue(Ground ground)
    {
        await using Listening listening = await Listening.OpenAsync(ground);
        await listening.Loop.InvokeAsync(listening.Listener.Pause);
        using Socket first = listening.Connect();
        using Socket second = listening.Connect();
        await Spin.AssertNoneAsync(listening.Loop);
        Assert.Equal(0, listening.Accepted);

        await listening.Loop.InvokeAsync(listening.Listener.Resume);

        await listening.WaitAcceptedAsync(2);
    }

    [Theory]
    [MemberData(nameof(Grounds))]
    public async Task Dispose_WhileClientsTry_RefusesThem(Ground ground)
    {
        await using Listening listening = await Listening.OpenAsync(ground);
        using Socket client = listening.Connect();
        await listening.WaitAcceptedAsync(1);

        await listening.Loop.InvokeAsync(() =>
        {
            listening.Listener.Dispose();
            listening.Listener.Dispose();
        });

        SocketException error = Assert.Throws<SocketException>(listening.Connect);
        Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
    }

    [Theory]
    [MemberData(nameof(Grounds))]
    public async Task Dispose_FromWithinAccepted_AcceptsNoMore(Ground ground)
    {
        await using Listening listening = await Listening.OpenAsync(ground, start: false);
        using Socket first = listening.Connect();
        using Socket second = listening.Connect();
        listening.OnAccepted = _ => listening.Listener.Dispose();

        await listening.Loop.InvokeAsync(listening.Listener.Start);
        await listening.WaitAcceptedAsync(1);
        await listening.Loop.SettleAsync();

        Assert.Equal(1, listening.Accepted);
    }

    [Theory]
    [MemberData(nameof(Grounds))]
    public async Task Accept_ConnectionResetInTheQueue_NextOnesAreServed(Ground ground)
    {
        await using Listening listening = await Listening.OpenAsync(ground, start: false);
        for (int i = 0; i < 5; i++)
        {
            using Socket dead = listening.Connect();
            dead.LingerState = new LingerOption(enable: true, seconds: 0);
        }

        using Socket alive = listening.Connect();
        EndPoint? last = null;
        listening.OnAccepted = raw => last = raw.RemoteEndPoint;
        await listening.Loop.InvokeAsync(listening.Listener.Start);

        // Linux hands dead ones out too (accept(2) of a connection that was reset succeeds); other systems skip them.
        while (last?.Equals(alive.LocalEndPoint) != true)
        {
            await listening.WaitAcceptedAsync(1);
        }
    }

    [Theory]
    [MemberData(nameof(Grounds))]
    public async Task Accept_TakerThrows_NextOnesAreServed(Ground ground)
    {
        await using Listening listening = await Listening.OpenAsync(ground, start: false);
        using Socket first = listening.Connect();
        using Socket second = listening.Connect();
        int calls = 0;
        listening.OnAccepted = _ =>
        {
            if (++calls == 1)
            {
                throw new InvalidOperationException("a bug above");
            }
        };

        await listening.Loop.InvokeAsync(listening.Listener.Start);
        await listening.WaitAcceptedAsync(1);

        Assert.Equal(0, await first.ReceiveAsync(new byte[1]).WithDeadline());
        Assert.Single(listening.Logger.Entries, entry => entry.Level == LogLevel.Error);
    }

    // A listening socket that somebody shut down answers EINVAL for ever, and is readable for ever.
    [Theory]
    [MemberData(nameof(Grounds))]
    public async Task Accept_ListeningSocketIsBroken_LoopDoesNotSpin(Ground ground)
    {
        await using Listening listening = await Listening.OpenAsync(ground);
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere a listening socket cannot be shut down.");

        Assert.Equal(0, LibCalls.Shutdown((int)listening.Raw.Handle.DangerousGetHandle(), LibCalls.ShutBoth));

        await Spin.AssertNoneAsync(listening.Loop);
        Assert.InRange(listening.Logger.Entries.Count, 1, 8); // it rests for twice as long each time: seven seconds until the eighth

        // Loud once; what follows within a minute is for those who look for it.
        Assert.Equal(LogLevel.Error, listening.Logger.Entries.First().Level);
        Assert.All(listening.Logger.Entries.Skip(1), entry => Assert.Equal(LogLevel.Debug, entry.Level));
    }
}
