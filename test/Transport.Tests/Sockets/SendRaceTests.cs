using System.Net;
using LoopBridge.Drivers;
using LoopBridge.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>
/// A writer on its own thread against the loop that sends, over a channel that takes everything at once: windows of a few nanoseconds,
/// tried tens of thousands of times.
/// </summary>
public sealed class SendRaceTests
{
    [Fact]
    public async Task FinishSending_WhileTheLoopSends_NothingIsSentAfterTheEnd()
    {
        using var loop = new TestLoop(Ground.Epoll);
        for (int batch = 0; batch < 40; batch++)
        {
            (StreamSocket Socket, Sinkhole Channel)[] streams = await loop.InvokeAsync(() => Enumerable.Range(0, 1000).Select(_ => Open(loop, null)).ToArray());
            await Background.RunOnItsOwnThread(() =>
            {
                for (int i = 0; i < streams.Length; i++)
                {
                    StreamSocket socket = streams[i].Socket;
                    socket.Write([1]);
                    socket.Flush();
                    Thread.SpinWait(i % 40);
                    socket.Write([2]);
                    socket.FinishSending();
                }
            }).WithDeadline();

            await loop.SettleAsync();
            Assert.All(streams, stream => Assert.Equal((2, 2), (stream.Channel.Taken, stream.Channel.TakenAtShutdown)));
            await loop.InvokeAsync(() => Array.ForEach(streams, stream => stream.Socket.Close(null, reset: false)));
        }
    }

    [Fact]
    public async Task Flush_WhileTheLoopSends_NoBlockIsHeldWhenAllIsSent()
    {
        using var loop = new TestLoop(Ground.Epoll);
        using var pool = new CountingPool();
        (StreamSocket socket, _) = await loop.InvokeAsync(() => Open(loop, pool));
        await Background.RunOnItsOwnThread(() =>
        {
            for (int i = 0; i < 60_000; i++)
            {
                socket.Write([1]);
                socket.Flush();
                Thread.SpinWait(i % 40);
                socket.Write([2]);
                socket.Flush();
                Assert.True(
                    SpinWait.SpinUntil(() => socket.Unsent == 0 && pool.Outstanding == 0, Deadline.Default), $"A block is held after round {i}.");
            }
        });

        await loop.InvokeAsync(() => socket.Close(null, reset: false));
    }

    private static (StreamSocket Socket, Sinkhole Channel) Open(TestLoop loop, CountingPool? pool)
    {
        var channel = new Sinkhole();
        var socket = new StreamSocket(loop.Loop, channel, new StreamSocketOptions { Pool = pool });
        socket.Start(new RecordingSink(socket));
        return (socket, channel);
    }

    private sealed class Sinkhole : IStreamChannel
    {
        private IStreamChannelOwner? _owner;

        internal int Taken { get; private set; }

        internal int TakenAtShutdown { get; private set; }

        public EndPoint? LocalEndPoint => null;

        public EndPoint? RemoteEndPoint => null;

        public RawSocket? Socket => null;

        public bool CanSendFromAnyThread => false;

        public void Start(IStreamChannelOwner owner) => _owner = owner;

        public IoResult Connect(EndPoint endPoint) => IoResult.Of(0);

        public IoResult Receive(Span<byte> buffer) => IoResult.Pending;

        public IoResult Send(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
        {
            int count = 0;
            foreach (ReadOnlyMemory<byte> buffer in buffers)
            {
                count += buffer.Length;
            }

            Taken += count;
            return IoResult.Of(count);
        }

        public IoResult TrySend(ReadOnlySpan<ReadOnlyMemory<byte>> buffers) => throw new InvalidOperationException("On the loop only.");

        public void ShutdownSend() => TakenAtShutdown = Taken;

        public void Close(bool reset) => _owner!.OnClosed();
    }
}
