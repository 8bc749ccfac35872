using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>What a delayed call says of itself.</summary>
public sealed class DelayedCallTextTests : ReactorContract
{
    [Theory, ReactorStacks]
    [Contract("R-TIME-19")]
    public void ToString_InEveryState_NamesFunctionOrState(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        string? inside = null;
        IDelayedCall? called = null;
        called = reactor.CallLater(TimeSpan.Zero, () => inside = called!.ToString());
        IDelayedCall pending = reactor.CallLater(TimeSpan.MaxValue, Named);
        IDelayedCall withState = reactor.CallLater(TimeSpan.MaxValue, NamedWithState, this);
        IDelayedCall cancelled = reactor.CallLater(TimeSpan.Zero, Named);
        cancelled.Cancel();
        reactor.CallLater(TimeSpan.Zero, reactor.Stop);

        reactor.RunBounded();

        Assert.EndsWith("called", inside, StringComparison.Ordinal);
        Assert.EndsWith("called", called.ToString(), StringComparison.Ordinal);
        Assert.EndsWith("cancelled", cancelled.ToString(), StringComparison.Ordinal);
        Assert.EndsWith(nameof(Named), pending.ToString(), StringComparison.Ordinal);
        Assert.EndsWith(nameof(NamedWithState), withState.ToString(), StringComparison.Ordinal);
    }

    [Theory, ReactorStacks]
    [Contract("R-TIME-19")]
    public void Compare_TwoCalls_ByTimeAndEqualOnlyToItself(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack, new ManualTimeProvider());
        IDelayedCall first = reactor.CallLater(TimeSpan.FromSeconds(1), Named);
        IDelayedCall tie = reactor.CallLater(TimeSpan.FromSeconds(1), Named);
        IDelayedCall last = reactor.CallLater(TimeSpan.FromSeconds(2), Named);

        Assert.Equal([first, tie, last], new[] { last, first, tie }.Order());
        Assert.Equal(0, first.CompareTo(tie));
        Assert.Equal(1, first.CompareTo(null));
        Assert.False(first.Equals(tie));
        Assert.True(first.Equals(first));
    }

    [Theory, ReactorStacks(false, true)]
    [Contract("R-TIME-19")]
    public void CallThrows_SitesAreRecorded_SiteIsReported(ReactorStack stack, bool isRecorded)
    {
        IReactor reactor = NewReactor(stack);
        Assert.False(reactor.RecordSchedulingSites);
        reactor.RecordSchedulingSites = isRecorded;
        ScheduleFailing(reactor);
        reactor.CallLater(TimeSpan.Zero, reactor.Stop);

        reactor.RunBounded();

        string message = Log.TakeSingle(Microsoft.Extensions.Logging.LogLevel.Error).Message;
        Assert.Contains(nameof(Fail), message, StringComparison.Ordinal);
        Assert.Equal(isRecorded, message.Contains(nameof(ScheduleFailing), StringComparison.Ordinal));
    }

    private static void ScheduleFailing(IReactor reactor) => reactor.CallLater(TimeSpan.Zero, Fail);

    private static void Fail() => throw new InvalidDataException();

    private static void Named()
    {
    }

    private static void NamedWithState(object? state)
    {
    }
}
