using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>
/// Thousands of connections that end in every way and at every moment, from both sides: each sink hears of it once, and nothing is left.
/// </summary>
[Collection(NonParallel.Name)]
public sealed class ChaosTests
{
    [Theory]
    [InlineData(LoopDriver.Epoll, false, 3000)]
    [InlineData(LoopDriver.Epoll, true, 1500)]
    [InlineData(LoopDriver.Managed, false, 1000)]
    public async Task Connections_EndInEveryWay_EachSinkClosedOnceAndNothingLeft(LoopDriver driver, bool hidden, int count)
    {
        Assert.SkipWhen(driver == LoopDriver.Epoll && !OperatingSystem.IsLinux(), "epoll is Linux only.");
        await RunAsync(driver, hidden, 20); // what is loaded and opened once for all
        var leaks = LeakCheck.Begin();

        await RunAsync(driver, hidden, count);

        leaks.Verify();
    }

    private static async Task RunAsync(LoopDriver driver, bool hidden, int count)
    {
        using var pool = new CountingPool();
        var options = new StreamSocketOptions { Pool = pool, SendHighWater = 16 * 1024 };
        using var group = new LoopGroup(2, driver);
        IEventLoop[] loops = [.. group.Members.Select(member => hidden ? new ForwardingLoop(member.Loop) : member.Loop)];
        var served = new List<Task>();
        group.Start();
        using RawSocket raw = ListeningSockets.Listen(
            HandlerSocketDriver.For(loops[0]), new IPEndPoint(IPAddress.Loopback, 0), new ListenSettings());
        var allAccepted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var listener = new SocketListener(loops[0], raw, new ListenSettings(), Accept, NullLogger.Instance);
        loops[0].Post(new Work(listener.Start));

        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) => await BeClientAsync(raw.LocalEndPoint!, i)).WithDeadline();
        await allAccepted.Task.WithDeadline();
        await Task.WhenAll(served).WithDeadline();
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        loops[0].Post(new Work(() =>
        {
            listener.Dispose();
            stopped.SetResult();
        }));
        await stopped.Task.WithDeadline();

        Assert.All(group.Members, member => Assert.Equal(0, member.Connections));
        Assert.True(SpinWait.SpinUntil(() => pool.Outstanding == 0, Deadline.Default), $"{pool.Outstanding} blocks did not come back.");

        void Accept(RawSocket accepted)
        {
            int number = served.Count;
            LoopMember member = group.Acquire();
            IEventLoop loop = loops[member.Number];
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            served.Add(done.Task);
            Assert.True(loop.Post(new Work(() =>
            {
                var socket = new StreamSocket(loop, HandlerSocketDriver.For(loop).OpenStream(accepted), options);
                var sink = new RecordingSink(socket) { Closing = _ => member.Release() };
                socket.Start(sink);
                _ = ServeAsync(sink, number).ContinueWith(task => Forward(task, done), TaskScheduler.Default);
            })));
            if (served.Count == count)
            {
                allAccepted.SetResult();
            }
        }
    }

    private static void Forward(Task task, TaskCompletionSource done)
    {
        if (task.Exception is { } exception)
        {
            done.SetException(exception);
        }
        else
        {
            done.SetResult();
        }
    }

    // Writes from a pool thread, while the loop, another thread, or the peer brings the end about.
    private static async Task ServeAsync(RecordingSink sink, int number)
    {
        var random = new Random(number);
        StreamSocket socket = sink.Socket;
        int end = number % 5;
        Task aborting = end switch
        {
            0 => Background.Run(() => Abort(random.Next(2000))),
            1 => Background.Run(() => socket.Loop.Post(new Work(() => socket.Close(null, reset: number % 2 == 0)))),
            _ => Task.CompletedTask,
        };
        await Background.Run(() => WriteAsync(sink, new Random(number + 1), end));
        await aborting;
        if (end == 2)
        {
            socket.FinishSending();
        }
        else if (end == 3)
        {
            Abort(0);
        }

        Task ended = await Task.WhenAny(sink.Closed, end == 4 ? sink.Closed : sink.EndOfStream);
        await ended;
        socket.RequestAbort(null, reset: false);
        await sink.Closed;
        socket.Write([1]);
        socket.Flush(); // too late, and still to be given back
        sink.Verify();

        void Abort(int spins)
        {
            Thread.SpinWait(spins);
            socket.RequestAbort(new OperationCanceledException(), reset: number % 2 == 0);
        }
    }

    private static async Task WriteAsync(RecordingSink sink, Random random, int end)
    {
        int rounds = end == 4 ? 10_000 : random.Next(1, 20);
        for (int i = 0; i < rounds && !sink.Socket.IsClosing; i++)
        {
            sink.Socket.Write(Pattern.At(0, random.Next(1, 8000)).Span);
            if (!sink.Socket.Flush())
            {
                await sink.WaitDrainedAsync();
            }
        }
    }

    private static async Task BeClientAsync(EndPoint endPoint, int number)
    {
        var random = new Random(number);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(endPoint);
            byte[] buffer = new byte[8192];
            int rounds = random.Next(6);
            for (int i = 0; i < rounds; i++)
            {
                await socket.SendAsync(Pattern.At(i, 1));
                if (await socket.ReceiveAsync(buffer) == 0)
                {
                    break;
                }
            }
        }
        catch (SocketException)
        {
            // Expected: the other side ends connections as it likes.
        }

        if (random.Next(2) == 0)
        {
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }
    }

    private sealed class Work(Action run) : ILoopWork
    {
        public void Run() => run();
    }
}
