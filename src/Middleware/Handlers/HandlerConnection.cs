using System.Buffers;
using System.Net.WebSockets;
using LoopBridge.Drivers;
using LoopBridge.Kestrel;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace LoopBridge.Handlers;

/// <summary>
/// A connection that a handler is to serve, whatever is underneath: a socket of ours, a pipe of a middleware or of another transport, or a
/// WebSocket.
/// </summary>
internal sealed class HandlerConnection
{
    private readonly LoopMember? _placed;
    private readonly Func<SinkStarter, Task> _attach;

    private HandlerConnection(string id, IEventLoop loop, LoopMember? placed, Func<SinkStarter, Task> attach, CancellationToken stopping)
    {
        Id = id;
        Loop = loop;
        _placed = placed;
        _attach = attach;
        Stopping = stopping;
    }

    internal string Id { get; }

    internal IEventLoop Loop { get; }

    /// <summary>Fires when the server asks its connections to end.</summary>
    internal CancellationToken Stopping { get; }

    /// <summary>
    /// A connection of Kestrel, or one like it. The handler sits directly on the socket if it is ours and nothing stands between.
    /// </summary>
    internal static HandlerConnection Of(ConnectionContext connection, LoopGroup group, CancellationToken stopping)
    {
        if (connection.Features.Get<IConnectionLifetimeNotificationFeature>() is { } notification)
        {
            stopping = notification.ConnectionClosedRequested;
        }

        IEventLoop? loop = connection.Features.Get<ILoopConnectionFeature>()?.Loop;
        LoopMember? placed = loop is null ? group.Acquire() : null;
        loop ??= placed!.Loop;
        if (connection.Features.Get<ISocketTakeOverFeature>() is { } takeOver && takeOver.CanTakeOver(connection.Transport))
        {
            return new HandlerConnection(connection.ConnectionId, loop, placed, takeOver.TakeOverAsync, stopping);
        }

        return new HandlerConnection(connection.ConnectionId, loop, placed, AttachToPipe, stopping);

        Task AttachToPipe(SinkStarter begin) => StartAsync(loop, begin, () => new PipeChannel(
            loop, connection.Transport, connection.LocalEndPoint, connection.RemoteEndPoint, reset => AbortIf(reset, connection)));
    }

    /// <summary>A WebSocket, whose messages carry the stream's bytes.</summary>
    internal static HandlerConnection Of(WebSocket webSocket, HttpConnectionInfo info, LoopGroup group)
    {
        LoopMember? placed = info.Loop is null ? group.Acquire() : null;
        IEventLoop loop = info.Loop ?? placed!.Loop;
        return new HandlerConnection(
            info.Id, loop, placed, begin => StartAsync(loop, begin, () => new WebSocketChannel(loop, webSocket, info)), info.Stopping);
    }

    /// <summary>Runs <paramref name="begin"/> on the loop, with the stream that its sink will serve.</summary>
    internal Task AttachAsync(SinkStarter begin) => _attach(begin);

    internal void Release() => _placed?.Release();

    private static Task StartAsync(IEventLoop loop, SinkStarter begin, Func<IStreamChannel> openChannel) => loop.RunAsync(() =>
    {
        var socket = new StreamSocket(loop, openChannel());
        socket.Start(NoSink.Instance);
        try
        {
            begin(socket, ReadOnlySequence<byte>.Empty);
        }
        catch (Exception e)
        {
            socket.Close(e, reset: true); // no handler, and so nobody else who would
            throw;
        }

        return Task.CompletedTask;
    });

    private static void AbortIf(bool reset, ConnectionContext connection)
    {
        if (reset)
        {
            connection.Abort(new ConnectionAbortedException("The handler aborted the connection."));
        }
    }

    /// <summary>
    /// The sink of a stream that has just been opened: nothing comes before the loop's next turn, and by then it has another.
    /// </summary>
    private sealed class NoSink : ISocketSink
    {
        internal static readonly NoSink Instance = new();

        public void OnReceivable()
        {
        }

        public void OnSendDrained()
        {
        }

        public void OnSendFinished()
        {
        }

        public void OnClosed(Exception? reason)
        {
        }
    }
}
