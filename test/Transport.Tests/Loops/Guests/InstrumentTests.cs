using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Transport.Tests.Drivers;

namespace LoopBridge.Transport.Tests.Loops.Guests;

/// <summary>What the watchdog counts.</summary>
public sealed class InstrumentTests
{
    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task HandOver_Measured_CountsItTheOverstayAndTheLag(LoopBridgeMode mode, LoopDriver driver)
    {
        using var meter = new Meter("of this test");
        using var listener = new MeterListener { InstrumentPublished = (published, own) => Listen(published, own, meter) };
        var counts = new ConcurrentQueue<(string Name, long Count, string Tags)>();
        var lags = new ConcurrentQueue<double>();
        listener.SetMeasurementEventCallback<long>((counted, count, tags, _) => counts.Enqueue((counted.Name, count, Text(tags))));
        listener.SetMeasurementEventCallback<double>((_, lag, _, _) => lags.Enqueue(lag));
        listener.Start();
        using LoopGroup group = LoopGroups.Create(mode, 1, driver);
        group.Measure(new LoopInstruments(meter));
        LoopMember member = group.Acquire();
        using var release = new ManualResetEventSlim();
        TestGuest guest = TestGuest.Blocking(release);
        await member.DoAsync(() => member.Invite(guest));
        await guest.Lost;
        await member.DoAsync(static () => { });
        release.Set();
        await guest.Ended;

        Assert.Equal(
            [
                ("loopbridge.loop.handovers", 1L, "loopbridge.loop=loop-0"),
                ("loopbridge.loop.overstays", 1L, "loopbridge.loop=loop-0 loopbridge.endpoint=endpoint"),
            ],
            counts.Order());

        Assert.Equal((1, 1), (member.Overstays, member.HandOvers));

        // The turn was as old as the guest at least, but for what one look misses at its beginning.
        Assert.Contains(lags, static lag => lag is >= 0.01 and < 30);
    }

    private static void Listen(Instrument published, MeterListener listener, Meter meter)
    {
        if (published.Meter == meter)
        {
            listener.EnableMeasurementEvents(published);
        }
    }

    private static string Text(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        => string.Join(' ', tags.ToArray().Select(static tag => $"{tag.Key}={tag.Value}"));
}
