using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>Binding on the sockets of each stack's driver, as servers do, and as <see cref="LoopSockets"/> does for everybody.</summary>
public sealed class LoopSocketsTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-NET-01")]
    public void Bind_PortZero_AllFamiliesGetTheSamePort(LoopStack stack)
    {
        IReadOnlyList<RawSocket> sockets = Bind(stack, 0);
        IReadOnlyList<Socket> plain = OwnAll(LoopSockets.Bind(0));

        Assert.Equal([AddressFamily.InterNetwork, AddressFamily.InterNetworkV6], sockets.Select(socket => socket.Family));
        Assert.Single(sockets.Select(socket => ((IPEndPoint)socket.LocalEndPoint!).Port).Distinct());
        Assert.Equal([AddressFamily.InterNetwork, AddressFamily.InterNetworkV6], plain.Select(socket => socket.AddressFamily));
        int port = Assert.Single(plain.Select(socket => ((IPEndPoint)socket.LocalEndPoint!).Port).Distinct());
        Assert.NotEqual(0, port);
    }

    [Theory, LoopStacks]
    [Contract("L-NET-02")]
    public void Bind_ReusePort_SecondBindSucceeds(LoopStack stack)
    {
        int port = PortOf(Bind(stack, 0, reusePort: true)[0]);

        IReadOnlyList<RawSocket> second = Bind(stack, port, reusePort: true);
        OwnAll(LoopSockets.Bind(port, reusePort: true));

        Assert.All(second, socket => Assert.Equal(port, PortOf(socket)));
    }

    [Theory, LoopStacks]
    [Contract("L-NET-02")]
    public void Bind_WithoutReusePort_SecondBindFailsAndNamesThePort(LoopStack stack)
    {
        int port = PortOf(Bind(stack, 0)[0]);

        CannotListenException error = Assert.Throws<CannotListenException>(() => Bind(stack, port));

        Assert.Equal(SocketError.AddressAlreadyInUse, error.SocketErrorCode);
        Assert.Contains($"0.0.0.0:{port}", error.Message, StringComparison.Ordinal);
    }

    [Theory, LoopStacks]
    [Contract("L-NET-03")]
    public void Bind_AllFamilies_SocketsAreAsServersWantThem(LoopStack stack)
    {
        SkipUnless(OperatingSystem.IsLinux(), "What the kernel says is read as Linux says it.");
        IEnumerable<Socket> all = Bind(stack, 0).Select(socket => Own(socket.Borrow())).Concat(OwnAll(LoopSockets.Bind(0)));

        Assert.All(all, socket =>
        {
            Assert.True(socket.ReusesAddress());
            Assert.True(socket.IsNonBlocking());
            Assert.True(socket.IsClosedOnExec());
            Assert.Equal(128, socket.Backlog());
            Assert.True(socket.AddressFamily == AddressFamily.InterNetwork || socket.IsIPv6Only());
        });
    }

    [Theory, LoopStacks]
    [Contract("L-NET-03")]
    public void Bind_IPv6Alone_TakesNoIPv4(LoopStack stack)
    {
        int port = PortOf(Assert.Single(Bind(stack, 0, addresses: [IPAddress.IPv6Any])));
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        SocketException error = Assert.Throws<SocketException>(() => client.Connect(IPAddress.Loopback, port));

        Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
    }

    // A machine without IPv6 says so when the socket is made: EAFNOSUPPORT.
    [Theory, LoopStacks]
    [Contract("L-NET-03")]
    public void Bind_FamilyThatTheMachineLacks_IsLeftOut(LoopStack stack)
    {
        ISocketDriver driver = HandlerSocketDriver.For(NewLoop(stack));

        List<RawSocket> sockets = LoopSockets.BindAll(WithoutIPv6(driver), null, 0, LoopSockets.DefaultBacklog, reusePort: false);

        Assert.Equal(AddressFamily.InterNetwork, Own(Assert.Single(sockets)).Family);
    }

    [Theory, LoopStacks]
    [Contract("L-NET-03")]
    public void Bind_OnlyFamilyThatTheMachineLacks_Throws(LoopStack stack)
    {
        ISocketDriver driver = HandlerSocketDriver.For(NewLoop(stack));

        CannotListenException error = Assert.Throws<CannotListenException>(
            () => LoopSockets.BindAll(WithoutIPv6(driver), [IPAddress.IPv6Any], 0, LoopSockets.DefaultBacklog, reusePort: false));

        Assert.Equal(SocketError.AddressFamilyNotSupported, error.SocketErrorCode);
    }

    // What was made before is closed: the leak check at the end sees it, and so does whoever wants the port next.
    [Theory, LoopStacks]
    [Contract("L-NET-03")]
    public void Bind_LaterAddressFails_ClosesTheEarlier(LoopStack stack)
    {
        int port = PortOf(Bind(stack, 0, addresses: [IPAddress.IPv6Loopback])[0]);

        Assert.Throws<CannotListenException>(() => Bind(stack, port, addresses: [IPAddress.Loopback, IPAddress.IPv6Loopback]));

        Bind(stack, port, addresses: [IPAddress.Loopback]);
    }

    [Fact]
    [Contract("L-NET-02")]
    public void Bind_ReusePortOnWindows_Throws()
    {
        SkipUnless(OperatingSystem.IsWindows(), "Only Windows lacks it.");

        Assert.Throws<PlatformNotSupportedException>(() => LoopSockets.Bind(0, reusePort: true));
    }

    [Theory]
    [InlineData(-1, 128)]
    [InlineData(65536, 128)]
    [InlineData(0, 0)]
    public void Bind_ArgumentOutOfRange_Throws(int port, int backlog)
        => Assert.Throws<ArgumentOutOfRangeException>(() => LoopSockets.Bind(port, backlog: backlog));

    private static Func<AddressFamily, RawSocket> WithoutIPv6(ISocketDriver driver)
        => family => family == AddressFamily.InterNetworkV6
            ? throw new SocketException((int)SocketError.AddressFamilyNotSupported)
            : driver.CreateSocket(family);

    private static int PortOf(RawSocket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    private IReadOnlyList<RawSocket> Bind(LoopStack stack, int port, bool reusePort = false, IPAddress[]? addresses = null)
    {
        IEventLoop loop = NewLoop(stack);
        return OwnAll(LoopSockets.BindAll(
            HandlerSocketDriver.For(loop).CreateSocket, addresses, port, LoopSockets.DefaultBacklog, reusePort));
    }

    private IReadOnlyList<T> OwnAll<T>(IReadOnlyList<T> sockets)
        where T : IDisposable
    {
        foreach (T socket in sockets)
        {
            Own(socket);
        }

        return sockets;
    }
}
