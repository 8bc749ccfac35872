using System.Net;
using System.Net.Sockets;
using LoopBridge.Sockets;

namespace LoopBridge.Middleware.Tests.Hosting;

/// <summary>
/// What is said when an endpoint cannot be bound and a test cannot bring it about: tests often run as root, who may bind anything.
/// </summary>
public sealed class ListenMessageTests
{
    [Fact]
    public void Message_ForAPortThatIsNotPermitted_NamesItAndTheRight()
    {
        var error = new ListenException(new IPEndPoint(IPAddress.Loopback, 80), SocketError.AccessDenied);

        Assert.Contains("127.0.0.1:80", error.Message, StringComparison.Ordinal);
        Assert.Contains("CAP_NET_BIND_SERVICE", error.Message, StringComparison.Ordinal);
        Assert.Contains("endpoint's Url", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Message_ForASocketFolderThatIsNotPermitted_NamesIt()
    {
        var error = new ListenException(new UnixDomainSocketEndPoint("/run/private/app.sock"), SocketError.AccessDenied);

        Assert.Contains("unix:/run/private/app.sock", error.Message, StringComparison.Ordinal);
        Assert.Contains("may not write to the socket's directory", error.Message, StringComparison.Ordinal);
    }
}
