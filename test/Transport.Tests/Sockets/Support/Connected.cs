using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>Where a <see cref="StreamSocket"/> under test stands.</summary>
public enum Stand
{
    Epoll,
    Managed,
    Handlers,
    HandlersOnManaged,

    /// <summary>A pair of pipes in place of a socket.</summary>
    Pipe,

    /// <summary>A socket whose channel completes operations: <see cref="CompletingChannel"/>.</summary>
    Completing,
}

/// <summary>One running stream, its sink, its peer, and the check at the end that nothing of it is left.</summary>
internal sealed class Connected : IAsyncDisposable
{
    private readonly CountingPool _pool;
    private bool _loopClosed;

    private Connected(TestLoop loop, CountingPool pool, RecordingSink sink, IPeer peer)
    {
        Loop = loop;
        _pool = pool;
        Sink = sink;
        Peer = peer;
    }

    internal TestLoop Loop { get; }

    internal StreamSocket Socket => Sink.Socket;

    internal RecordingSink Sink { get; }

    internal IPeer Peer { get; }

    internal CountingPool Pool => _pool;

    internal static async Task<Connected> OpenAsync(Stand stand, long highWater = 64 * 1024, Action<RecordingSink>? configure = null, TimeProvider? clock = null)
    {
        var loop = new TestLoop(stand is Stand.Pipe or Stand.Completing ? Ground.Epoll : (Ground)stand, clock);
        var pool = new CountingPool();
        var options = new StreamSocketOptions { Pool = pool, SendHighWater = highWater };
        return stand switch
        {
            Stand.Pipe => await OpenPipeAsync(loop, pool, options, configure),
            Stand.Completing => await OpenCompletingAsync(loop, pool, options, configure),
            _ => await OpenSocketAsync(loop, pool, options, configure),
        };
    }

    /// <summary>Ends the loop under the connection.</summary>
    internal void CloseLoop()
    {
        _loopClosed = true;
        Loop.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_loopClosed)
        {
            Socket.RequestAbort(null, reset: false);
        }

        await Sink.Closed;
        Peer.Dispose();
        if (!_loopClosed)
        {
            await Loop.SettleAsync();
            Loop.Dispose();
        }

        Sink.Verify();
        Assert.True(SpinWait.SpinUntil(() => _pool.Outstanding == 0, Deadline.Default), $"{_pool.Outstanding} blocks did not come back.");
    }

    private static async Task<Connected> OpenSocketAsync(TestLoop loop, CountingPool pool, StreamSocketOptions options, Action<RecordingSink>? configure)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        RecordingSink sink = await SocketConnector.ConnectAsync(loop.Loop, listener.LocalEndPoint!, options, socket =>
        {
            var made = new RecordingSink(socket);
            configure?.Invoke(made);
            return made;
        }, CancellationToken.None).WithDeadline();
        return new Connected(loop, pool, sink, new SocketPeer(await listener.AcceptAsync().WithDeadline()));
    }

    private static async Task<Connected> OpenPipeAsync(TestLoop loop, CountingPool pool, StreamSocketOptions options, Action<RecordingSink>? configure)
    {
        (DuplexPipe ours, DuplexPipe theirs) = DuplexPipe.Pair();
        RecordingSink sink = await StartAsync(loop, () => new PipeChannel(loop.Loop, ours, null, null), options, configure);
        return new Connected(loop, pool, sink, new PipePeer(theirs));
    }

    private static async Task<Connected> OpenCompletingAsync(TestLoop loop, CountingPool pool, StreamSocketOptions options, Action<RecordingSink>? configure)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await peer.ConnectAsync(listener.LocalEndPoint!).WithDeadline();
        Socket accepted = await listener.AcceptAsync().WithDeadline();
        ISocketDriver driver = HandlerSocketDriver.For(loop.Loop);
        RecordingSink sink = await StartAsync(
            loop, () => new CompletingChannel(loop.Loop, driver.OpenStream(driver.AdoptSocket(accepted))), options, configure);
        return new Connected(loop, pool, sink, new SocketPeer(peer));
    }

    private static Task<RecordingSink> StartAsync(
        TestLoop loop, Func<IStreamChannel> open, StreamSocketOptions options, Action<RecordingSink>? configure) => loop.InvokeAsync(() =>
    {
        var socket = new StreamSocket(loop.Loop, open(), options);
        var made = new RecordingSink(socket);
        configure?.Invoke(made);
        socket.Start(made);
        return made;
    });
}
