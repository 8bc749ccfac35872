using System.Net;
using System.Net.Sockets;
using LoopBridge.Streams;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>How many connections a server has, and how it lets go of them.</summary>
public sealed class TcpServerStopTests : TcpServerTest
{
    [Theory, LoopStacks]
    public async Task StopAsync_HandlersFinish_WaitsForThem(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        LoopTcpServer server = Serve(thread, Echo);
        Socket client = Connect(EndPointOf(server));
        Assert.Equal("one", await ExchangeAsync(client, "one"));

        Task stopped = server.StopAsync(cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal("two", await ExchangeAsync(client, "two"));
        Assert.False(stopped.IsCompleted);
        client.Dispose();

        await stopped.WithDeadline();
        Assert.Equal(0, server.ConnectionCount);
    }

    [Theory, LoopStacks]
    public async Task StopAsync_GraceIsOver_AbortsTheRest(LoopStack stack)
    {
        var clock = new ManualTimeProvider();
        LoopThread thread = StartLoop(stack, clock);
        LoopTcpServer server = Serve(thread, Echo);
        Socket client = Connect(EndPointOf(server));
        Assert.Equal("one", await ExchangeAsync(client, "one"));

        Task stopped = server.StopAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
        Assert.Equal("two", await ExchangeAsync(client, "two"));
        await thread.Do(() => { }); // behind the call above: the loop has begun to wait
        clock.Advance(TimeSpan.FromSeconds(5));
        await thread.Do(() => { });

        await stopped.WithDeadline();
        await Assert.ThrowsAsync<SocketException>(() => ReadToEndAsync(client));
    }

    [Theory, LoopStacks]
    public async Task StopAsync_Cancelled_AbortsTheRest(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        LoopTcpServer server = Serve(thread, Echo);
        Socket client = Connect(EndPointOf(server));
        Assert.Equal("one", await ExchangeAsync(client, "one"));

        await server.StopAsync(cancellationToken: new CancellationToken(canceled: true)).WithDeadline();

        await Assert.ThrowsAsync<SocketException>(() => ReadToEndAsync(client));
    }

    [Theory, LoopStacks]
    public async Task CloseAllConnectionsAsync_Live_AreClosedAndAcceptingGoesOn(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        await using LoopTcpServer server = Serve(thread, Echo);
        Socket client = Connect(EndPointOf(server));
        Assert.Equal("one", await ExchangeAsync(client, "one"));

        await server.CloseAllConnectionsAsync().WithDeadline();

        await Assert.ThrowsAsync<SocketException>(() => ReadToEndAsync(client));
        Assert.Equal("two", await ExchangeAsync(Connect(EndPointOf(server)), "two"));
    }

    [Theory, LoopStacks]
    public async Task Accept_MaxConnectionsLive_NextOnesWaitUntilOneEnds(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        LoopTcpServerOptions options = Options;
        options.MaxConnections = 2;
        int most = 0;
        LoopTcpServer? server = null;
        await using LoopTcpServer made = server = new LoopTcpServer(thread.Loop, stream =>
        {
            most = Math.Max(most, server!.ConnectionCount);
            return Echo(stream);
        }, options);
        ListenAnywhere(server);
        Socket[] clients = [.. Enumerable.Range(0, 5).Select(_ => Connect(EndPointOf(server)))];

        foreach (Socket client in clients)
        {
            Assert.Equal("ping", await ExchangeAsync(client, "ping")); // in the order they came
            client.Dispose();
        }

        Assert.Equal(2, most);
        Assert.Contains("MaxConnections", Log.TakeSingle(LogLevel.Warning).Message, StringComparison.Ordinal);
    }

    [Theory, LoopStacks]
    public async Task Listen_WhileFull_WaitsToo(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        LoopTcpServerOptions options = Options;
        options.MaxConnections = 1;
        await using LoopTcpServer server = Serve(thread, Echo, options);
        Socket first = Connect(EndPointOf(server));
        Assert.Equal("one", await ExchangeAsync(first, "one"));

        server.Listen(0, IPAddress.Loopback);
        Socket second = Connect(server.EndPoints[1]);
        await UntilAsync(thread, () => true);
        await UntilAsync(thread, () => true);
        Assert.Equal(1, server.ConnectionCount);
        first.Dispose();

        Assert.Equal("two", await ExchangeAsync(second, "two"));
        Assert.All(Log.Take(LogLevel.Warning), entry => Assert.Equal(654, entry.Id.Id));
    }

    [Theory, LoopStacks]
    public void Constructor_OptionOutOfRange_Throws(LoopStack stack)
    {
        Assert.Throws<ArgumentException>(() => new LoopTcpServer(NewLoop(stack), Greet, new LoopTcpServerOptions { Backlog = 0 }));
        Assert.Throws<ArgumentException>(() => new LoopTcpServer(NewLoop(stack), Greet, new LoopTcpServerOptions { MaxConnections = 0 }));
        Assert.Throws<ArgumentException>(
            () => new LoopTcpServer(NewLoop(stack), Greet, new LoopTcpServerOptions { HandshakeTimeout = TimeSpan.Zero }));
    }
}
