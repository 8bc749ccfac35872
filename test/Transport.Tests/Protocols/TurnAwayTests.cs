using System.Net.Sockets;
using LoopBridge.Protocols;
using LoopBridge.Sockets;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Sockets;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>A process without descriptors.</summary>
[Collection(NonParallel.Name)]
public sealed class TurnAwayTests : ProtocolTest
{
    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPP-03")]
    public async Task Accept_HardlyAnyDescriptors_ClientsSeeACleanClose_ThenThePortServesAgain(LoopDriver driver)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the limit is set by setrlimit(2)");
        using var host = new ReactorHost(driver);
        IListeningPort port = host.Listen(() => new TestProtocol { OnMade = p => p.Transport.Write("hello"u8) });
        using (Peer before = await Peer.ConnectAsync(port))
        {
            await before.ReadAsync(5); // loads whatever code and files this needs
        }

        Assert.True(DescriptorReservation.Process.IsHeld);
        using var first = new Peer(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        using var second = new Peer(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));

        // The headroom is four at least: the next connection is the last one that is served.
        using (Descriptors.UseUp(leave: 4))
        {
            await first.Socket.ConnectAsync(port.Host, TestContext.Current.CancellationToken).AsTask().WithDeadline();
            Assert.Equal("hello"u8.ToArray(), await first.ReadAsync(5));
            await second.Socket.ConnectAsync(port.Host, TestContext.Current.CancellationToken).AsTask().WithDeadline();
            Assert.Empty(await second.ReadToEndAsync());
        }

        using (Peer after = await Peer.ConnectAsync(port))
        {
            await after.ReadAsync(5);
        }

        Assert.NotEmpty(host.Log.Named("ConnectionsTurnedAway"));
        Assert.Empty(host.Log.Errors);
        await port.StopListeningAsync().WithDeadline();
    }
}
