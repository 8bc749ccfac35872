using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using LoopBridge.Loops;
using LoopBridge.Resolvers;
using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class ConnectTests : StreamContract
{
    private LoopStreamOptions Options => new() { Logger = StreamLogger };

    [Theory, LoopStacks]
    [Contract("L-STR-02")]
    public async Task ConnectAsync_OnTheLoop_GivesAStreamForTheWholeConversation(LoopStack stack)
    {
        using Socket listener = SocketPairs.Listen();
        await StartLoop(stack).RunAsync(async loop =>
        {
            await using LoopStream stream = await LoopStream.ConnectAsync(loop, listener.LocalEndPoint!, Options);
            Assert.True(loop.IsOnLoopThread);
            using Socket peer = await listener.AcceptAsync();
            Assert.Equal(peer.RemoteEndPoint, stream.LocalEndPoint);
            Assert.Equal(peer.LocalEndPoint, stream.RemoteEndPoint);
            await stream.WriteAsync("question\n"u8.ToArray());
            byte[] received = new byte[9];
            await new NetworkStream(peer).ReadExactlyAsync(received);
            Assert.Equal("question\n", received.Text());
            await peer.SendAsync("answer\nmore".Bytes());
            Assert.Equal("answer\n", (await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
            byte[] more = new byte[4];
            await stream.ReadExactlyAsync(more);
            Assert.Equal("more", more.Text());
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-29")]
    public async Task Connect_WrittenToAtOnce_SendsItAllAfterTheConnect(LoopStack stack)
    {
        using Socket listener = SocketPairs.Listen();
        byte[] noise = StreamTestData.Noise(3_000_000);
        await StartLoop(stack).RunAsync(async loop =>
        {
            await using LoopStream stream = LoopStream.Connect(loop, listener.LocalEndPoint!, Options);
            var order = new List<string>();
            Task connected = Note(stream.Connected, "connected");
            Task small = Note(Write(stream, noise.AsMemory(0, 10)), "small");
            Task large = Note(Write(stream, noise.AsMemory(10)), "large");
            ValueTask<byte[]> read = stream.ReadUntilAsync(StreamTestData.NewLine);
            Assert.True(stream.IsWriting);
            Assert.True(stream.IsReading);
            Assert.False(connected.IsCompleted);
            using Socket peer = await listener.AcceptAsync();
            byte[] received = new byte[noise.Length];
            await new NetworkStream(peer).ReadExactlyAsync(received);
            Assert.Equal(noise, received);
            await peer.SendAsync("line\n".Bytes());
            Assert.Equal("line\n", (await read).Text());
            await Task.WhenAll(connected, small, large);
            Assert.Equal(["connected", "small", "large"], order);

            async Task Note(Task task, string name)
            {
                await task;
                order.Add(name);
            }
        });

        static async Task Write(LoopStream stream, ReadOnlyMemory<byte> bytes)
        {
            await stream.WriteAsync(bytes);
            await stream.FlushAsync();
        }
    }

    [Theory, LoopStacks]
    [Contract("L-STR-53")]
    public async Task Connect_FinishedWritingAtOnce_SendsTheEndAfterTheConnect(LoopStack stack)
    {
        using Socket listener = SocketPairs.Listen();
        await StartLoop(stack).RunAsync(async loop =>
        {
            await using LoopStream stream = LoopStream.Connect(loop, listener.LocalEndPoint!, Options);
            stream.FinishWriting();
            using Socket peer = await listener.AcceptAsync();
            Assert.Equal(0, await peer.ReceiveAsync(new byte[1]));
            await peer.SendAsync("answer\n".Bytes());
            Assert.Equal("answer\n", (await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-35"), Contract("L-STR-38"), Contract("L-STR-23")]
    public async Task Connect_Refused_FailsAllInOrderAndKeepsTheNumber(LoopStack stack)
    {
        IPEndPoint nobody = Nobody();
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopStream stream = LoopStream.Connect(loop, nobody, Options);
            var order = new List<string>();
            Exception? told = null;
            stream.OnClosed(reason =>
            {
                told = reason;
                order.Add("closed");
            });
            await stream.WriteAsync(new byte[10]);
            Task connected = Note(stream.Connected, "connect");
            Task written = Note(stream.FlushAsync().AsTask(), "write");
            Task read = Note(stream.ReadAsync(new byte[1]).AsTask(), "read");
            Assert.Empty(order);
            await StreamLink.UntilAsync(() => order.Count == 4);
            await Task.WhenAll(connected, written, read);
            Assert.Equal(["read", "write", "connect", "closed"], order);
            Assert.Equal(SocketError.ConnectionRefused, Assert.IsType<SocketException>(stream.Error).SocketErrorCode);
            Assert.Same(stream.Error, told);
            Assert.True(stream.IsClosed);
            StreamClosedException failure = await Assert.ThrowsAsync<StreamClosedException>(() => stream.Connected);
            Assert.Same(stream.Error, failure.InnerException);
            Assert.Contains(nobody.ToString(), failure.Message, StringComparison.Ordinal);

            async Task Note(Task task, string name)
            {
                await Assert.ThrowsAsync<StreamClosedException>(() => task);
                order.Add(name);
            }
        });
        Assert.DoesNotContain(Log.Entries, entry => entry.Level > Microsoft.Extensions.Logging.LogLevel.Debug);
    }

    [Theory, LoopStacks]
    [Contract("L-STR-36")]
    public async Task Connect_NameDoesNotResolve_FailsWithTheResolversError(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopStream stream = LoopStream.Connect(loop, new DnsEndPoint("nothing.invalid", 80), Options);
            int closes = 0;
            stream.OnClosed(_ => closes++);
            StreamClosedException failure = await Assert.ThrowsAsync<StreamClosedException>(() => stream.Connected);
            Assert.Equal(NameResolutionFailure.NotFound, Assert.IsType<NameResolutionException>(failure.InnerException).Reason);
            Assert.Same(failure.InnerException, stream.Error);
            await StreamLink.UntilAsync(() => closes > 0);
            Assert.Equal(1, closes);
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-36")]
    public async Task ConnectAsync_Name_TriesItsAddressesOneAfterTheOther(LoopStack stack)
    {
        // Nobody listens on ::1 there.
        using Socket listener = SocketPairs.Listen();
        int port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        await StartLoop(stack).RunAsync(async loop =>
        {
            await using LoopStream stream = await LoopStream.ConnectAsync(loop, new DnsEndPoint("localhost", port), Options);
            using Socket peer = await listener.AcceptAsync();
            Assert.Equal(listener.LocalEndPoint, stream.RemoteEndPoint);
        });
    }

    [Theory, LoopStacks]
    public async Task ConnectAsync_UnixSocket_Connects(LoopStack stack)
    {
        using var path = new Sockets.TemporaryPath();
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(path.EndPoint);
        listener.Listen();
        await StartLoop(stack).RunAsync(async loop =>
        {
            await using LoopStream stream = await LoopStream.ConnectAsync(loop, path.EndPoint, Options);
            stream.SetNoDelay(false); // ignored
            using Socket peer = await listener.AcceptAsync();
            await peer.SendAsync("line\n".Bytes());
            Assert.Equal("line\n", (await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-35")]
    public async Task Connect_EndPointNobodyCouldConnectTo_FailsThroughTheStream(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            foreach (EndPoint endPoint in (EndPoint[])[new UnixDomainSocketEndPoint("/no/such/socket"), new NoEndPoint()])
            {
                LoopStream stream = LoopStream.Connect(loop, endPoint, Options);
                int closes = 0;
                stream.OnClosed(_ => closes++);
                StreamClosedException failure = await Assert.ThrowsAsync<StreamClosedException>(() => stream.Connected);
                Assert.NotNull(stream.Error);
                Assert.Same(stream.Error, failure.InnerException);
                await StreamLink.UntilAsync(() => closes == 1);
            }
        });
    }

    [Theory, LoopStacks]
    public async Task ConnectAsync_OffTheLoop_GoesOnOffTheLoop(LoopStack stack)
    {
        using Socket listener = SocketPairs.Listen();
        IEventLoop loop = StartLoop(stack).Loop;
        await Task.Run(async () =>
        {
            LoopStream stream = await LoopStream.ConnectAsync(loop, listener.LocalEndPoint!, Options);
            Assert.False(loop.IsOnLoopThread);
            stream.Abort();
        }, TestContext.Current.CancellationToken).WithDeadline();
        await Assert.ThrowsAsync<StreamClosedException>(() => LoopStream.ConnectAsync(loop, Nobody(), Options).WithDeadline());
    }

    [Theory, LoopStacks]
    public async Task ConnectAsync_CancelledWhileItWaits_GivesUpAndClosesTheSocket(LoopStack stack)
    {
        using var busy = new BusyListener();
        LoopThread thread = StartLoop(stack);
        using var cancellation = new CancellationTokenSource();
        Task<LoopStream> connect = LoopStream.ConnectAsync(thread.Loop, busy.EndPoint, Options, cancellation.Token).AsTask();
        await thread.Do(() => { });
        Assert.False(connect.IsCompleted);
        await cancellation.CancelAsync();
        OperationCanceledException cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connect.WithDeadline());
        Assert.Equal(cancellation.Token, cancelled.CancellationToken);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => LoopStream.ConnectAsync(thread.Loop, busy.EndPoint, Options, cancellation.Token).WithDeadline());
    }

    [Theory, LoopStacks]
    [Contract("L-STR-38")]
    public async Task CloseAsync_WhileConnecting_GivesUpAtOnce(LoopStack stack)
    {
        using var busy = new BusyListener();
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopStream stream = LoopStream.Connect(loop, busy.EndPoint, Options);
            await Task.Yield();
            await stream.WriteAsync(new byte[10]);
            Task flush = stream.FlushAsync().AsTask();
            Assert.False(stream.Connected.IsCompleted);
            await stream.CloseAsync();
            await Assert.ThrowsAsync<StreamClosedException>(() => flush);
            await Assert.ThrowsAsync<StreamClosedException>(() => stream.Connected);
            Assert.Null(stream.Error);
        });
    }

    [Theory, LoopStacks]
    public async Task Connect_LoopDisposedUnderIt_FailsTheConnect(LoopStack stack)
    {
        using var busy = new BusyListener();
        LoopThread thread = StartLoop(stack);
        LoopStream stream = await thread.Ask(() => LoopStream.Connect(thread.Loop, busy.EndPoint, Options));
        thread.Stop();
        thread.Loop.Dispose();
        await Assert.ThrowsAsync<StreamClosedException>(() => stream.Connected.WithDeadline());
    }

    [Theory, LoopStacks]
    public async Task ConnectAsync_LoopClosedBeforeItBegins_Fails(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        Task<LoopStream> connect = LoopStream.ConnectAsync(loop, Nobody(), Options).AsTask();
        loop.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => connect.WithDeadline());
        await Assert.ThrowsAsync<ObjectDisposedException>(
            () => LoopStream.ConnectAsync(loop, Nobody(), Options).WithDeadline());
    }

    [Theory, LoopStacks]
    [Contract("L-STR-43")]
    public async Task StartTls_WhileConnecting_ThrowsAndChangesNothing(LoopStack stack)
    {
        using Socket listener = SocketPairs.Listen();
        await StartLoop(stack).RunAsync(async loop =>
        {
            await using LoopStream stream = LoopStream.Connect(loop, listener.LocalEndPoint!, Options);
            Assert.Throws<InvalidOperationException>(() => { _ = stream.StartTls(new SslClientAuthenticationOptions()); });
            await stream.Connected;
        });
    }

    [Theory, LoopStacks]
    public async Task Connect_OffTheLoop_Throws(LoopStack stack)
    {
        IEventLoop loop = StartLoop(stack).Loop;
        Assert.Throws<InvalidOperationException>(() => LoopStream.Connect(loop, Nobody()));
        await Task.CompletedTask;
    }

    /// <summary>Of a family that no driver has sockets for.</summary>
    private sealed class NoEndPoint : EndPoint
    {
        public override AddressFamily AddressFamily => AddressFamily.AppleTalk;
    }

    /// <summary>A listener whose queue is full: a connect to it neither succeeds nor fails for a long time.</summary>
    private sealed class BusyListener : IDisposable
    {
        private readonly Socket _listener = SocketPairs.Listen(backlog: 0);
        private readonly List<Socket> _clients = [];

        internal BusyListener()
        {
            for (int i = 0; i < 4; i++)
            {
                var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
                _clients.Add(client);
                try
                {
                    client.Connect(EndPoint);
                }
                catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
                {
                    // Expected: it is the one that waits.
                }
            }

            // The handshake may end later than the first client knows of it, and until then there is room for another.
            Assert.True(_listener.Poll(Deadline.Default, SelectMode.SelectRead));
        }

        internal EndPoint EndPoint => _listener.LocalEndPoint!;

        public void Dispose()
        {
            _clients.ForEach(client => client.Dispose());
            _listener.Dispose();
        }
    }
}
