using System.Net;
using System.Net.Sockets;
using LoopBridge.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Sockets;

[Collection(NonParallel.Name)]
public sealed class SocketConnectorTests
{
    public static TheoryData<Ground> Grounds => [.. Enum.GetValues<Ground>()];

    [Theory]
    [MemberData(nameof(Grounds))]
    public Task ConnectAsync_IPv4_Connects(Ground ground) => ConnectsAsync(ground, new IPEndPoint(IPAddress.Loopback, 0));

    [Theory]
    [MemberData(nameof(Grounds))]
    public Task ConnectAsync_IPv6_Connects(Ground ground)
    {
        Assert.SkipUnless(HasIPv6Loopback(), "This machine has no ::1.");
        return ConnectsAsync(ground, new IPEndPoint(IPAddress.IPv6Loopback, 0));
    }

    [Theory]
    [MemberData(nameof(Grounds))]
    public async Task ConnectAsync_Unix_Connects(Ground ground)
    {
        using var path = new TemporaryPath();
        await ConnectsAsync(ground, path.EndPoint);
    }

    [Theory]
    [MemberData(nameof(Grounds))]
    public async Task ConnectAsync_NobodyListens_RefusedAndSinkTold(Ground ground)
    {
        using var loop = new TestLoop(ground);
        using var holder = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        holder.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // bound and not listening: refuses for certain

        await RefusedAsync(loop, holder.LocalEndPoint!, SocketError.ConnectionRefused);
    }

    [Theory]
    [MemberData(nameof(Grounds))]
    public async Task ConnectAsync_UnixPathMissing_FailsAndSinkTold(Ground ground)
    {
        using var loop = new TestLoop(ground);
        using var path = new TemporaryPath();

        await RefusedAsync(loop, path.EndPoint, SocketError.AddressNotAvailable);
    }

    [Theory]
    [MemberData(nameof(Grounds))]
    public async Task ConnectAsync_CancelledBefore_Throws(Ground ground)
    {
        using var loop = new TestLoop(ground);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SocketConnector.ConnectAsync(
            loop.Loop, new IPEndPoint(IPAddress.Loopback, 1), StreamSocketOptions.Default, NoSink, new CancellationToken(canceled: true)).WithDeadline());
    }

    // On Linux a listener whose queue is full drops SYNs: connecting stays undecided, without any address that nobody answers at.
    [Theory]
    [MemberData(nameof(Grounds))]
    public async Task ConnectAsync_CancelledWhileConnecting_ClosesTheSocket(Ground ground)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere a full queue refuses.");
        var leaks = LeakCheck.Begin();
        using (var loop = new TestLoop(ground))
        using (var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen(0);
            using Socket filler = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            filler.Connect(listener.LocalEndPoint!);
            Assert.True(listener.Poll(Deadline.Default, SelectMode.SelectRead)); // its handshake may end later than it knows
            using var cancellation = new CancellationTokenSource();
            RecordingSink? sink = null;
            Task connecting = SocketConnector.ConnectAsync(
                loop.Loop, listener.LocalEndPoint!, StreamSocketOptions.Default, socket => sink = new RecordingSink(socket), cancellation.Token);
            await loop.SettleAsync();
            Assert.False(connecting.IsCompleted);

            cancellation.Cancel();

            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting.WithDeadline());
            Assert.IsType<OperationCanceledException>(await sink!.Closed, exactMatch: false);
            sink.Verify();
        }

        leaks.Verify();
    }

    [Theory]
    [MemberData(nameof(Grounds))]
    public async Task ConnectAsync_SinkCannotBeMade_LeavesNoDescriptor(Ground ground)
    {
        var leaks = LeakCheck.Begin();
        using (var loop = new TestLoop(ground))
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => SocketConnector.ConnectAsync(
                loop.Loop, new IPEndPoint(IPAddress.Loopback, 1), StreamSocketOptions.Default, NoSink, CancellationToken.None).WithDeadline());
        }

        leaks.Verify();
    }

    [Fact]
    public async Task ConnectAsync_OnClosedLoop_Throws()
    {
        var loop = new TestLoop(Ground.Epoll);
        loop.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => SocketConnector.ConnectAsync(
            loop.Loop, new IPEndPoint(IPAddress.Loopback, 1), StreamSocketOptions.Default, NoSink, CancellationToken.None).WithDeadline());
    }

    private static RecordingSink NoSink(StreamSocket socket) => throw new InvalidOperationException("no sink today");

    private static async Task ConnectsAsync(Ground ground, EndPoint endPoint)
    {
        await using (Listening warm = await Listening.OpenAsync(ground))
        {
        }

        var leaks = LeakCheck.Begin();
        await using (Listening listening = await Listening.OpenAsync(ground, endPoint))
        {
            RecordingSink sink = await SocketConnector.ConnectAsync(
                listening.Loop.Loop, listening.EndPoint, StreamSocketOptions.Default, socket => new RecordingSink(socket), CancellationToken.None).WithDeadline();
            await listening.WaitAcceptedAsync(1);
            Assert.Equal(listening.EndPoint, sink.Socket.RemoteEndPoint);
            Assert.NotNull(sink.Socket.LocalEndPoint);

            listening.CloseAccepted();
            await sink.EndOfStream;
            sink.Socket.RequestAbort(null, reset: false);
            Assert.Null(await sink.Closed);
            sink.Verify();
        }

        leaks.Verify();
    }

    private static async Task RefusedAsync(TestLoop loop, EndPoint endPoint, SocketError expected)
    {
        RecordingSink? sink = null;
        SocketException error = await Assert.ThrowsAsync<SocketException>(() => SocketConnector.ConnectAsync(
            loop.Loop, endPoint, StreamSocketOptions.Default, socket => sink = new RecordingSink(socket), CancellationToken.None).WithDeadline());

        Assert.Equal(expected, error.SocketErrorCode);
        Assert.Same(error, await sink!.Closed);
        sink.Verify();
    }

    private static bool HasIPv6Loopback()
    {
        if (!Socket.OSSupportsIPv6)
        {
            return false;
        }

        try
        {
            using var probe = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
            probe.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
            return true;
        }
        catch (SocketException)
        {
            return false; // containers often have the family and no address
        }
    }
}
