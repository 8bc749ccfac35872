using LoopBridge.Loops;
using LoopBridge.Protocols;
using LoopBridge.Reactors;

namespace LoopBridge.Middleware.Tests.Handlers;

/// <summary>The reactor-style handler under test.</summary>
internal sealed class ProbeProtocol : Protocol
{
    private readonly Probe _probe;
    private readonly IEventLoop _loop;
    private readonly IReactor _reactor;

    public ProbeProtocol(Probe probe, ScopedResource resource, IEventLoop loop, IReactor reactor)
    {
        _probe = probe;
        _loop = loop;
        _reactor = reactor;
        resource.IsConnected = () => IsConnected;
    }

    public override void ConnectionMade()
    {
        Check(nameof(ConnectionMade));
        _ = AwaitAsync();
    }

    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        Check(nameof(DataReceived));
        switch (_probe.Act)
        {
            case Act.Throw:
                throw new InvalidOperationException("The probe throws.");
            case Act.Goodbye:
                Transport.Write(Probe.LastWords);
                Transport.LoseConnection();
                break;
            case Act.Abort:
                Transport.AbortConnection();
                break;
            case Act.Flood:
                Transport.Write(new byte[Probe.FloodSize]);
                break;
            default:
                Transport.Write(data);
                break;
        }
    }

    public override void ConnectionLost(Exception reason)
    {
        Check(nameof(ConnectionLost));
        _probe.Losses.Enqueue(reason);
    }

    private async Task AwaitAsync()
    {
        await Task.Yield();
        Check("after Yield");
        await Task.Run(static () => { }, TestContext.Current.CancellationToken);
        Check("after Run");
    }

    private void Check(string place) => _probe.Check(place, _loop, _reactor, Transport.Loop);
}
