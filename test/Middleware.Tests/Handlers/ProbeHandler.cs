using LoopBridge.Loops;
using LoopBridge.Reactors;
using LoopBridge.Streams;

namespace LoopBridge.Middleware.Tests.Handlers;

/// <summary>The loop-style handler under test.</summary>
internal sealed class ProbeHandler(Probe probe, ScopedResource resource, IEventLoop loop, IReactor reactor) : ILoopHandler
{
    public async Task HandleAsync(LoopStream stream, CancellationToken stopping)
    {
        resource.IsConnected = () => !stream.IsClosed;
        Check(stream, "begin");
        await Task.Yield();
        Check(stream, "after Yield");
        await Task.Run(static () => { }, CancellationToken.None);
        Check(stream, "after Run");
        byte[] buffer = new byte[16 * 1024];
        while (await stream.ReadAsync(buffer, stopping) is int count and > 0)
        {
            Check(stream, "after a read");
            switch (probe.Act)
            {
                case Act.Throw:
                    throw new InvalidOperationException("The probe throws.");
                case Act.Goodbye:
                    await stream.WriteAsync(Probe.LastWords, CancellationToken.None);
                    return;
                case Act.Abort:
                    stream.Abort();
                    break;
                case Act.Flood:
                    await stream.WriteAsync(new byte[Probe.FloodSize], stopping);
                    break;
                default:
                    await stream.WriteAsync(buffer.AsMemory(0, count), CancellationToken.None);
                    break;
            }

            Check(stream, "after a write");
        }
    }

    private void Check(LoopStream stream, string place) => probe.Check(place, loop, reactor, stream.Loop);
}
