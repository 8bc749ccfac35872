using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Sockets;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Transport.Tests.Sockets;

public sealed class ListeningSocketsTests
{
    private static readonly ListenSettings Settings = new();

    public static TheoryData<Ground> Drivers => [Ground.Epoll, Ground.Managed];

    [Theory]
    [MemberData(nameof(Drivers))]
    public void Listen_PortInUse_NamesEndPointAndRemedy(Ground ground)
    {
        using var loop = new TestLoop(ground);
        ISocketDriver driver = HandlerSocketDriver.For(loop.Loop);
        using RawSocket first = ListeningSockets.Listen(driver, new IPEndPoint(IPAddress.Loopback, 0), Settings);

        AddressInUseException error = Assert.Throws<AddressInUseException>(() => ListeningSockets.Listen(driver, first.LocalEndPoint!, Settings));

        AssertNames(error, first.LocalEndPoint!.ToString()!, "Another socket listens there");
        Assert.IsType<ListenException>(error.InnerException);
    }

    [Theory]
    [MemberData(nameof(Drivers))]
    public void Listen_UnixPathInUse_NamesEndPointAndRemedy(Ground ground)
    {
        using var loop = new TestLoop(ground);
        using var path = new TemporaryPath();
        ISocketDriver driver = HandlerSocketDriver.For(loop.Loop);
        using RawSocket first = ListeningSockets.Listen(driver, path.EndPoint, Settings);

        AddressInUseException error = Assert.Throws<AddressInUseException>(() => ListeningSockets.Listen(driver, path.EndPoint, Settings));

        AssertNames(error, $"unix:{path.Path}", "remove the file");
    }

    [Theory]
    [MemberData(nameof(Drivers))]
    public void Listen_UnixDirectoryMissing_NamesEndPointAndRemedy(Ground ground)
    {
        using var loop = new TestLoop(ground);
        using var path = new TemporaryPath();
        var missing = new UnixDomainSocketEndPoint(path.Path + "/nowhere/s");

        ListenException error = Assert.Throws<ListenException>(() => ListeningSockets.Listen(HandlerSocketDriver.For(loop.Loop), missing, Settings));

        AssertNames(error, "/nowhere/s", "create the directory");
    }

    [Theory]
    [MemberData(nameof(Drivers))]
    public void Listen_AddressOfNoInterface_NamesEndPointAndRemedy(Ground ground)
    {
        using var loop = new TestLoop(ground);
        var foreign = new IPEndPoint(IPAddress.Parse("192.0.2.1"), 0); // TEST-NET-1, RFC 5737

        ListenException error = Assert.Throws<ListenException>(() => ListeningSockets.Listen(HandlerSocketDriver.For(loop.Loop), foreign, Settings));

        AssertNames(error, "192.0.2.1", "No interface of this machine");
    }

    [Theory]
    [MemberData(nameof(Drivers))]
    public void Listen_DescriptorIsNoSocket_NamesEndPoint(Ground ground)
    {
        using var loop = new TestLoop(ground);
        using FileStream file = File.Open(typeof(ListeningSocketsTests).Assembly.Location, FileMode.Open, FileAccess.Read, FileShare.Read);
        var handle = new FileHandleEndPoint((ulong)file.SafeFileHandle.DangerousGetHandle(), FileHandleType.Auto);

        Assert.Throws<ListenException>(() => ListeningSockets.Listen(HandlerSocketDriver.For(loop.Loop), handle, Settings));
    }

    [Theory]
    [MemberData(nameof(Drivers))]
    public void Listen_TwiceWithReusePort_Works(Ground ground)
    {
        using var loop = new TestLoop(ground);
        ISocketDriver driver = HandlerSocketDriver.For(loop.Loop);
        var settings = new ListenSettings { ReusePort = true };
        using RawSocket first = ListeningSockets.Listen(driver, new IPEndPoint(IPAddress.Loopback, 0), settings);
        using RawSocket second = ListeningSockets.Listen(driver, first.LocalEndPoint!, settings);

        Assert.Equal(first.LocalEndPoint, second.LocalEndPoint);
    }

    // Root may bind any port, and a test cannot give that up in process: the message is what is ours.
    [Fact]
    public void Message_PortNotPermitted_NamesTheCapability()
        => AssertNames(new ListenException(new IPEndPoint(IPAddress.Any, 80), SocketError.AccessDenied), "0.0.0.0:80", "CAP_NET_BIND_SERVICE");

    [Fact]
    public void Message_UnixNotPermitted_NamesTheDirectory()
        => AssertNames(new ListenException(new UnixDomainSocketEndPoint("/run/x"), SocketError.AccessDenied), "unix:/run/x", "may not write to the socket's directory");

    private static void AssertNames(Exception error, string endPoint, string remedy)
    {
        Assert.Contains(endPoint, error.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, error.Message, StringComparison.Ordinal);
    }
}
