using System.Net;
using System.Net.Sockets;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>Sockets through the public handlers of a loop: how often they trouble it.</summary>
public sealed class HandlerSocketTests : LoopContract
{
    private const int MessageSize = 10;

    private static readonly byte[] Answer = [1];

    [Theory, LoopStacks]
    public async Task Exchange_OneMessageAfterTheOther_ChangesNoInterest(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        var loop = new InterestCountingLoop(thread.Loop);
        (RecordingSink sink, SocketPeer peer) = await ConnectAsync(loop);
        await thread.Do(() => sink.Receivable = () =>
        {
            sink.Socket.Write(Answer);
            sink.Socket.Flush();
        });

        await ExchangeAsync(peer, 0);
        int before = await thread.Ask(() => loop.Changes);
        for (int i = 1; i <= 50; i++)
        {
            await ExchangeAsync(peer, i);
        }

        Assert.Equal(before, await thread.Ask(() => loop.Changes));
        Assert.Equal(51 * MessageSize, sink.Received);
        await EndAsync(thread, sink, peer);
    }

    [Theory, LoopStacks]
    public async Task PausedReader_MoreComesThenAReset_IsReportedInVainOnceAndTheResetOnce(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        var loop = new InterestCountingLoop(thread.Loop);
        (RecordingSink sink, SocketPeer peer) = await ConnectAsync(loop);
        var paused = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var reset = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await thread.Do(() => sink.Receivable = () =>
        {
            sink.Paused = true;
            if (!paused.TrySetResult())
            {
                reset.TrySetResult();
            }
        });
        int before = await thread.Ask(() => loop.Reports);

        await peer.SendAsync(Pattern.At(0, MessageSize));
        await paused.Task.WithDeadline();
        await TurnAsync(thread, 20);
        int afterPause = await thread.Ask(() => loop.Reports);
        await peer.ResetAsync();
        if (stack.WatchesAnyDescriptor)
        {
            await reset.Task.WithDeadline(); // Select tells those who want to read
        }

        await TurnAsync(thread, 20);

        Assert.InRange(afterPause - before, 1, 2);
        Assert.InRange(await thread.Ask(() => loop.Reports) - afterPause, stack.WatchesAnyDescriptor ? 1 : 0, 2);
        await EndAsync(thread, sink, peer);
    }

    private static async Task<(RecordingSink Sink, SocketPeer Peer)> ConnectAsync(IEventLoop loop)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        RecordingSink sink = await SocketConnector
            .ConnectAsync(loop, listener.LocalEndPoint!, new StreamSocketOptions(), socket => new RecordingSink(socket), CancellationToken.None)
            .WithDeadline();
        return (sink, new SocketPeer(await listener.AcceptAsync().WithDeadline()));
    }

    private static async Task ExchangeAsync(SocketPeer peer, int number)
    {
        await peer.SendAsync(Pattern.At(number * MessageSize, MessageSize));
        Assert.Equal(1, await peer.ReceiveAsync(new byte[1]));
    }

    // Each asks for a turn of its own, with a poll before it.
    private static async Task TurnAsync(LoopThread thread, int count)
    {
        for (int i = 0; i < count; i++)
        {
            await thread.Do(() => { });
        }
    }

    private static async Task EndAsync(LoopThread thread, RecordingSink sink, SocketPeer peer)
    {
        await thread.Do(() => sink.Socket.Close(null, reset: false));
        await sink.Closed;
        peer.Dispose();
        sink.Verify();
    }
}
