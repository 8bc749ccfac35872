using System.Text;
using LoopBridge.Manual;
using LoopBridge.Protocols;
using LoopBridge.Reactors;

namespace LoopBridge.Transport.Tests.Manual;

/// <summary>The example of the README's "Testing your protocols". A test compares the two.</summary>
public sealed class ReadmeExampleTests
{
    [Fact]
    public void TestingYourProtocols()
    {
        using var reactor = new ManualReactor();
        MemoryTransport transport = MemoryTransport.Connect(new GreetingProtocol(), reactor);

        transport.PeerSends("Ada\r\n");
        Assert.Equal("Hello, Ada!\r\n", transport.TakeText());

        reactor.Advance(TimeSpan.FromSeconds(59));
        Assert.False(transport.IsDisconnecting);
        reactor.Advance(TimeSpan.FromSeconds(1));
        Assert.IsType<ConnectionDoneException>(transport.LossReason);
        Assert.Empty(reactor.GetDelayedCalls());
    }

    private sealed class GreetingProtocol : LineReceiver
    {
        private IDelayedCall? _silence;

        public override void ConnectionMade()
            => _silence = Transport.Reactor.CallLater(TimeSpan.FromMinutes(1), Transport.LoseConnection);

        public override void LineReceived(ReadOnlySpan<byte> line)
        {
            _silence!.Reset(TimeSpan.FromMinutes(1));
            SendLine(Encoding.UTF8.GetBytes($"Hello, {Encoding.UTF8.GetString(line)}!"));
        }

        public override void ConnectionLost(Exception reason)
        {
            if (_silence!.Active)
            {
                _silence.Cancel();
            }
        }
    }
}
