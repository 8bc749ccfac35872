using System.Net;
using System.Net.Sockets;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Sockets;

public sealed class AcceptHandlerTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-NET-05")]
    public void Accept_ManyAreWaiting_AtMost128InATurn(LoopStack stack)
    {
        const int Count = 300;
        IEventLoop loop = NewLoop(stack);
        Socket listener = Listen(backlog: 512);
        for (int i = 0; i < Count; i++)
        {
            Connect(listener);
        }

        int turn = 0;
        var accepted = new Dictionary<int, int>();
        void NextTurn()
        {
            turn++;
            loop.AddCallback(NextTurn);
        }

        loop.AddCallback(NextTurn);
        using IDisposable handler = loop.AddAcceptHandler(listener, socket =>
        {
            accepted[turn] = accepted.GetValueOrDefault(turn) + 1;
            socket.Dispose();
            if (accepted.Values.Sum() == Count)
            {
                loop.Stop();
            }
        });
        loop.StartBounded();

        Assert.All(accepted.Values, count => Assert.InRange(count, 1, 128));
    }

    [Theory, LoopStacks]
    [Contract("L-NET-05")]
    public async Task Accept_ConnectionDiedInTheQueue_NextIsServedOnTheLoop(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        Socket listener = Listen();
        using (var dead = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            dead.Connect(listener.LocalEndPoint!);
            dead.LingerState = new LingerOption(enable: true, seconds: 0);
        }

        Socket alive = Connect(listener);
        var served = new TaskCompletionSource<(bool OnLoop, bool InContext)>(TaskCreationOptions.RunContinuationsAsynchronously);
        IDisposable handler = await thread.Ask(() => thread.Loop.AddAcceptHandler(listener, socket =>
        {
            using (socket)
            {
                if (Equals(PeerOf(socket), alive.LocalEndPoint))
                {
                    bool inContext = SynchronizationContext.Current == thread.Loop.SynchronizationContext;
                    served.SetResult((thread.Loop.IsOnLoopThread, inContext));
                }
            }
        }));

        Assert.Equal((true, true), await served.Task.WithDeadline());
        await thread.Do(handler.Dispose);
    }

    [Theory, LoopStacks]
    [Contract("L-NET-05")]
    public async Task Accept_CallbackThrows_HookIsToldAndTheHandlerStays(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        var told = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        thread.Loop.ExceptionHandler = (e, _) => told.SetResult(e);
        Socket listener = Listen();
        int calls = 0;
        IDisposable handler = await thread.Ask(() => thread.Loop.AddAcceptHandler(listener, socket =>
        {
            if (++calls == 1)
            {
                throw new InvalidTimeZoneException("a bug of the user's");
            }

            socket.Send("served"u8);
            socket.Dispose();
        }));

        Socket first = Connect(listener);
        Assert.IsType<InvalidTimeZoneException>(await told.Task.WithDeadline());
        Assert.Equal(0, await first.ReceiveAsync(new byte[1]).WithDeadline());
        Assert.Equal(6, await Connect(listener).ReceiveAsync(new byte[9]).WithDeadline());
        await thread.Do(handler.Dispose);
    }

    // A listening socket that somebody shuts down answers EINVAL until somebody lets it listen again.
    [Theory, LoopStacks]
    [Contract("L-NET-05")]
    public async Task Accept_ListeningSocketBreaks_HookIsToldAndTheHandlerStays(LoopStack stack)
    {
        SkipUnless(OperatingSystem.IsLinux(), "Elsewhere a listening socket cannot be shut down.");
        LoopThread thread = StartLoop(stack);
        var told = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        thread.Loop.ExceptionHandler = (e, _) => told.TrySetResult(e);
        ReservedPort port = Own(new ReservedPort()); // asked for by number, it is kept over the shutdown
        Socket listener = Own(LoopSockets.Bind(port.Number, [IPAddress.Loopback])[0]);
        var served = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        IDisposable handler = await thread.Ask(() => thread.Loop.AddAcceptHandler(listener, socket =>
        {
            socket.Dispose();
            served.SetResult();
        }));

        Assert.Equal(0, LibCalls.Shutdown((int)listener.Handle, LibCalls.ShutBoth));
        Assert.IsType<SocketException>(await told.Task.WithDeadline());

        Assert.Equal(0, LibCalls.Listen((int)listener.Handle, 128));
        Connect(listener);
        await served.Task.WithDeadline();
        await thread.Do(handler.Dispose);
    }

    [Theory, LoopStacks]
    [Contract("L-NET-05")]
    public async Task Accept_HardlyADescriptorLeft_WaitsAndServesThen(LoopStack stack)
    {
        SkipUnless(OperatingSystem.IsLinux(), "The limit is set by setrlimit(2).");
        LoopThread thread = StartLoop(stack);
        Socket listener = Listen();
        var served = new SemaphoreSlim(0);
        IDisposable handler = await thread.Ask(() => thread.Loop.AddAcceptHandler(listener, socket =>
        {
            socket.Dispose();
            served.Release();
        }, Log.CreateLogger("accept")));
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using (Descriptors.LeaveFew())
        {
            Connect(listener);
            await served.WaitAsync(TestContext.Current.CancellationToken).WithDeadline(); // the last one
            client.Connect(listener.LocalEndPoint!);
            await thread.RunAsync(async _ =>
            {
                while (!Log.Entries.Any(entry => entry.Id.Name == "AcceptExhausted"))
                {
                    await Task.Yield();
                }
            });
            Assert.Equal(0, served.CurrentCount);
        }

        await served.WaitAsync(TestContext.Current.CancellationToken).WithDeadline();
        await thread.Do(handler.Dispose);
        Assert.All(Log.Take(Microsoft.Extensions.Logging.LogLevel.Warning), entry => Assert.Equal("AcceptExhausted", entry.Id.Name));
    }

    [Theory, LoopStacks]
    public async Task Dispose_WithinTheCallback_AcceptsNoMoreAndLeavesTheSocketOpen(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        Socket listener = Listen();
        Connect(listener);
        Connect(listener);
        int calls = 0;
        IDisposable? handler = null;
        await thread.Do(() => handler = thread.Loop.AddAcceptHandler(listener, socket =>
        {
            calls++;
            socket.Dispose();
            handler!.Dispose();
        }));
        await thread.RunAsync(async _ =>
        {
            while (calls == 0)
            {
                await Task.Yield();
            }

            await Task.Yield();
        });

        Assert.Equal(1, calls);
        using Socket second = listener.Accept(); // still the caller's
        await thread.Do(handler!.Dispose);
    }

    private static EndPoint? PeerOf(Socket socket)
    {
        try
        {
            return socket.RemoteEndPoint;
        }
        catch (SocketException)
        {
            return null; // the one that died
        }
    }

    private Socket Listen(int backlog = 128) => Own(LoopSockets.Bind(0, [IPAddress.Loopback], backlog)[0]);

    private Socket Connect(Socket listener)
    {
        Socket client = Own(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        client.Connect(listener.LocalEndPoint!);
        return client;
    }
}
