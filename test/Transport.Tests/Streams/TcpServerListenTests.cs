using System.Net;
using System.Net.Sockets;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using LoopBridge.Streams;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Sockets;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class TcpServerListenTests : TcpServerTest
{
    [Theory, LoopStacks]
    [Contract("L-SRV-04")]
    public async Task Stop_Twice_IsHarmless(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        LoopTcpServer server = Serve(thread, Greet);
        EndPoint endPoint = EndPointOf(server);
        Assert.Equal("hello", await ReadToEndAsync(Connect(endPoint)));

        await thread.Do(() =>
        {
            server.Stop();
            server.Stop();
        });
        server.Stop();
        await server.StopAsync().WithDeadline();

        AssertRefused(endPoint);
        Assert.Empty(server.EndPoints);
    }

    [Theory, LoopStacks]
    [Contract("L-SRV-05")]
    public async Task Stop_WithinAHandlerWithMoreConnectionsInTheBatch_AcceptsNoMoreOfThem(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        int calls = 0;
        LoopTcpServer? server = null;
        server = new LoopTcpServer(loop, async stream =>
        {
            calls++;
            server!.Stop();
            await Greet(stream);
        }, Options);
        server.Listen(0, IPAddress.Loopback);
        server.Listen(0, IPAddress.IPv6Loopback);
        List<Socket> clients = [.. Enumerable.Range(0, 6).Select(i => Connect(server.EndPoints[i % 2]))];
        using var thread = new LoopThread(loop);

        await UntilAsync(thread, () => calls > 0 && server.ConnectionCount == 0);
        await UntilAsync(thread, () => true);

        Assert.Equal(1, calls);
        int served = 0;
        foreach (Socket client in clients)
        {
            // Those that nobody accepted were in a queue that was closed: the kernel resets them.
            if (await Record.ExceptionAsync(async () => Assert.Equal("hello", await ReadToEndAsync(client))) is null)
            {
                served++;
            }
        }

        Assert.Equal(1, served);
    }

    [Theory, LoopStacks]
    [Contract("L-SRV-06")]
    public async Task Stop_LiveConnections_GoOnAndThePortIsFreeAtOnce(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        await using LoopTcpServer server = Serve(thread, Echo);
        var endPoint = (IPEndPoint)EndPointOf(server);
        Socket client = Connect(endPoint);
        Assert.Equal("one", await ExchangeAsync(client, "one"));

        LoopTcpServer next = await thread.Ask(() =>
        {
            server.Stop();
            var another = new LoopTcpServer(thread.Loop, Greet, Options);
            another.Listen(endPoint);
            return another;
        });

        Assert.Equal("two", await ExchangeAsync(client, "two"));
        Assert.Equal("hello", await ReadToEndAsync(Connect(endPoint)));
        Assert.Equal(1, server.ConnectionCount);
        await next.DisposeAsync();
    }

    [Theory, LoopStacks]
    [Contract("L-SRV-07")]
    public async Task Listen_SeveralTimes_ServesAll(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        await using var server = new LoopTcpServer(thread.Loop, Greet, Options);
        using var path = new TemporaryPath();
        server.Listen(0, IPAddress.Loopback);
        server.Listen(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        server.Listen(path.EndPoint);

        Assert.Equal(3, server.EndPoints.Count);
        foreach (EndPoint endPoint in server.EndPoints)
        {
            Assert.Equal("hello", await ReadToEndAsync(Connect(endPoint)));
        }
    }

    [Theory, LoopStacks]
    [Contract("L-SRV-07")]
    [Contract("L-SRV-10")]
    public async Task Listen_PortZero_ServesAllFamiliesOnOnePort(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        await using var server = new LoopTcpServer(thread.Loop, Greet, Options);
        server.Listen(0);

        int port = Assert.Single(server.EndPoints.Select(endPoint => ((IPEndPoint)endPoint).Port).Distinct());
        Assert.Equal("hello", await ReadToEndAsync(Connect(new IPEndPoint(IPAddress.Loopback, port))));
        Assert.Equal("hello", await ReadToEndAsync(Connect(new IPEndPoint(IPAddress.IPv6Loopback, port))));
    }

    [Theory, LoopStacks]
    [Contract("L-SRV-07")]
    [Contract("L-SRV-10")]
    public async Task Bind_BeforeStart_ClientsWaitUntilThen(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        int calls = 0;
        await using var server = new LoopTcpServer(thread.Loop, stream =>
        {
            calls++;
            return Greet(stream);
        }, Options);
        server.Bind(0, IPAddress.Loopback);
        Socket client = Connect(EndPointOf(server));
        await UntilAsync(thread, () => true);
        await UntilAsync(thread, () => true);
        Assert.Equal(0, calls);

        server.Start();

        Assert.Equal("hello", await ReadToEndAsync(client));
    }

    [Theory, LoopStacks]
    [Contract("L-SRV-07")]
    public async Task Bind_AfterStart_ListensAtOnce(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        await using var server = new LoopTcpServer(thread.Loop, Greet, Options);
        server.Start();

        server.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        Assert.Equal("hello", await ReadToEndAsync(Connect(EndPointOf(server))));
    }

    [Theory, LoopStacks]
    [Contract("L-SRV-07")]
    public async Task Start_Twice_Throws(LoopStack stack)
    {
        await using var server = new LoopTcpServer(NewLoop(stack), Greet, Options);
        server.Start();

        Assert.Throws<InvalidOperationException>(server.Start);
    }

    [Theory, LoopStacks]
    [Contract("L-SRV-07")]
    [Contract("L-SRV-10")]
    public async Task AddSockets_ReadyMade_ServesAllAndFreesThePort(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        var server = new LoopTcpServer(thread.Loop, Greet, Options);
        IReadOnlyList<Socket> sockets = LoopSockets.Bind(0);
        server.AddSockets(sockets);
        foreach (Socket socket in sockets)
        {
            socket.Dispose(); // a using of the caller's
        }

        int port = ((IPEndPoint)EndPointOf(server)).Port;
        Assert.Equal(2, server.EndPoints.Count);
        Assert.Equal("hello", await ReadToEndAsync(Connect(new IPEndPoint(IPAddress.Loopback, port))));
        Assert.Equal("hello", await ReadToEndAsync(Connect(new IPEndPoint(IPAddress.IPv6Loopback, port))));
        await server.StopAsync().WithDeadline();
        AssertRefused(new IPEndPoint(IPAddress.Loopback, port));
    }

    // As of systemd: a number, and nothing else.
    [Theory, LoopStacks]
    [Contract("L-SRV-07")]
    public async Task AddSocket_InheritedDescriptor_ServesOnIt(LoopStack stack)
    {
        SkipUnless(OperatingSystem.IsLinux(), "Descriptors are passed on as numbers on Linux only.");
        LoopThread thread = StartLoop(stack);
        await using var server = new LoopTcpServer(thread.Loop, Greet, Options);
        int number;
        using (Socket made = LoopSockets.Bind(0, [IPAddress.Loopback])[0])
        {
            number = LibCalls.Duplicate((int)made.Handle);
        }

        string identity = SocketPairs.Identity(number);
        server.AddSocket(new SafeSocketHandle(number, ownsHandle: true));

        using (Socket borrowed = SocketPairs.Borrow(identity))
        {
            Assert.False(borrowed.LingerState!.Enabled); // what is accepted has it of the listener, and would be reset at its end
        }

        Assert.Equal("hello", await ReadToEndAsync(Connect(EndPointOf(server))));
    }

    [Theory, LoopStacks]
    public async Task AddSocket_NotListening_ThrowsAndLeavesItTheCallers(LoopStack stack)
    {
        await using var server = new LoopTcpServer(NewLoop(stack), Greet, Options);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        Assert.Throws<ArgumentException>(() => server.AddSocket(socket));

        socket.Listen();
        server.AddSocket(socket);
        Assert.Single(server.EndPoints);
        server.Stop();
    }

    [Theory, LoopStacks]
    public async Task Listen_PortInUse_ThrowsAndNamesIt(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        await using LoopTcpServer first = Serve(thread, Greet);
        await using var second = new LoopTcpServer(thread.Loop, Greet, Options);

        CannotListenException error = Assert.Throws<CannotListenException>(() => second.Listen(EndPointOf(first)));

        Assert.Equal(EndPointOf(first), error.EndPoint);
        Assert.Equal(SocketError.AddressAlreadyInUse, error.SocketErrorCode);
        Assert.Empty(second.EndPoints);
    }

    [Theory, LoopStacks]
    public async Task Listen_ReusePort_TwoServersShareIt(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        LoopTcpServerOptions options = Options;
        options.ReusePort = true;
        await using LoopTcpServer first = Serve(thread, Greet, options);
        await using var second = new LoopTcpServer(thread.Loop, Greet, options);

        second.Listen(EndPointOf(first));

        Assert.Equal(EndPointOf(first), EndPointOf(second));
    }

    [Theory, LoopStacks]
    public async Task Listen_AfterStop_Throws(LoopStack stack)
    {
        await using var server = new LoopTcpServer(NewLoop(stack), Greet, Options);
        server.Stop();
        IPEndPoint free = Own(new ReservedPort()).EndPoint;

        Assert.Throws<InvalidOperationException>(() => server.Listen(free));
        AssertRefused(free);
        Assert.Throws<InvalidOperationException>(server.Start);
        Assert.Throws<InvalidOperationException>(() => server.AddSocket(new SafeSocketHandle(-1, ownsHandle: false)));
    }

    // The leak check at the end finds what stays open.
    [Theory, LoopStacks]
    public void Listen_LoopIsClosedBeforeItRuns_PortIsClosed(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        var server = new LoopTcpServer(loop, Greet, Options);
        server.Listen(0, IPAddress.Loopback);
        EndPoint endPoint = EndPointOf(server);

        ((IDisposable)loop).Dispose();

        AssertRefused(endPoint);
        Assert.Throws<ObjectDisposedException>(() => server.Listen(0, IPAddress.Loopback));
    }

    [Theory, LoopStacks]
    public async Task Listen_EndPointOfAnotherKind_Throws(LoopStack stack)
    {
        await using var server = new LoopTcpServer(NewLoop(stack), Greet, Options);

        Assert.Throws<ArgumentException>(() => server.Listen(new DnsEndPoint("localhost", 80)));
    }
}
