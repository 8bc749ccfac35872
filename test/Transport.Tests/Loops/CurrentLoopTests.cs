using LoopBridge.Loops;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>Which loop belongs to the calling thread.</summary>
public sealed class CurrentLoopTests : LoopContract
{
    public CurrentLoopTests() => CurrentLoop.Clear();

    [Theory, LoopStacks]
    [Contract("L-CORE-06")]
    public void Constructor_NoneCurrent_BecomesIt(LoopStack stack)
    {
        CurrentLoop.Clear();
        Assert.Null(CurrentLoop.Value);
        IEventLoop first = NewLoop(stack);
        Assert.Same(first, CurrentLoop.Value);
        Assert.Same(first, CurrentLoop.Require());
        IEventLoop second = NewLoop(stack);
        Assert.Same(first, CurrentLoop.Value);
        CurrentLoop.Set(second);
        Assert.Same(second, CurrentLoop.Value);
        CurrentLoop.Clear();
        Assert.Null(CurrentLoop.Value);
    }

    [Theory, LoopStacks]
    [Contract("L-CORE-06"), Contract("L-INV-06")]
    public void Dispose_OnAnyThread_LeavesNoneCurrent(LoopStack stack)
    {
        IEventLoop here = NewLoop(stack);
        here.Dispose();
        Assert.Null(CurrentLoop.Value);
        IEventLoop elsewhere = NewLoop(stack);
        Assert.Same(elsewhere, CurrentLoop.Value);
        var thread = new Thread(() =>
        {
            CurrentLoop.Set(elsewhere);
            elsewhere.Dispose();
            Assert.Null(CurrentLoop.Value);
        });
        thread.Start();
        Assert.True(thread.Join(Deadline.Default));
        Assert.Null(CurrentLoop.Value);

        // One that is not current takes nothing away.
        IEventLoop current = NewLoop(stack);
        NewLoop(stack).Dispose();
        Assert.Same(current, CurrentLoop.Value);
    }

    // The row also wants that only the outermost loop that was started sets it. Ours does better: whichever loop calls user code is current
    // for that, so that with loops in layers, or one started inside another, each one's callbacks find their own.
    [Theory, LoopStacks]
    [Contract("L-CORE-07"), Contract("L-CORE-10")]
    public void Start_NotMadeCurrent_IsCurrentInsideCallbacksOnly(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack, makeCurrent: false);
        var seen = new List<IEventLoop?>();
        for (int i = 0; i < 3; i++)
        {
            Assert.Null(CurrentLoop.Value);
            loop.AddCallback(() => seen.Add(CurrentLoop.Value));
            loop.CallLater(TimeSpan.Zero, () => seen.Add(CurrentLoop.Require()));
            loop.RunTurns(1);
        }

        Assert.Null(CurrentLoop.Value);
        Assert.Equal(6, seen.Count);
        Assert.All(seen, current => Assert.Same(loop, current));

        IEventLoop other = NewLoop(stack);
        loop.AddCallback(() => seen.Add(CurrentLoop.Value));
        loop.RunTurns(1);
        Assert.Same(loop, seen[^1]);
        Assert.Same(other, CurrentLoop.Value);
    }

    [Theory, LoopStacks]
    [Contract("L-CORE-07")]
    public void Start_EndsByAnException_RestoresTheCurrentLoop(LoopStack stack)
    {
        SkipUnless(stack.EndsWithAFailedTurn, "no exception ends the run of a native reactor (R-CORE-29)");
        var clock = new BreakableClock();
        IEventLoop before = NewLoop(stack);
        IEventLoop loop = NewLoop(stack, clock, makeCurrent: false);
        loop.CallLater(TimeSpan.FromHours(1), static () => { });
        clock.IsBroken = true;
        Assert.Throws<InvalidTimeZoneException>(loop.Start);
        Assert.Same(before, CurrentLoop.Value);
        Assert.False(loop.IsOnLoopThread);
        Assert.IsType<InvalidTimeZoneException>(Log.TakeSingle(LogLevel.Critical).Exception);

        clock.IsBroken = false;
        IEventLoop? inside = null;
        loop.AddCallback(() => inside = CurrentLoop.Value);
        loop.RunTurns(1);
        Assert.Same(loop, inside);
    }

    [Theory, LoopStacks]
    [Contract("L-CORE-08")]
    public void Constructor_MustBecomeCurrent_ThrowsIfThereIsOne(LoopStack stack)
    {
        IEventLoop first = NewLoop(stack, makeCurrent: true);
        Assert.Same(first, CurrentLoop.Value);
        Assert.Throws<InvalidOperationException>(() => NewLoop(stack, makeCurrent: true));
        Assert.Same(first, CurrentLoop.Value);
        CurrentLoop.Clear();
        Assert.Same(NewLoop(stack, makeCurrent: true), CurrentLoop.Value);
    }

    [Theory, LoopStacks]
    [Contract("L-CORE-07")]
    public async Task Value_OtherThreads_HaveTheirOwn(LoopStack stack)
    {
        LoopThread one = StartLoop(stack);
        LoopThread two = StartLoop(stack);
        Assert.Same(one.Loop, await one.Ask(static () => CurrentLoop.Value));
        Assert.Same(two.Loop, await two.Ask(static () => CurrentLoop.Value));
    }

    private sealed class BreakableClock : TimeProvider
    {
        internal bool IsBroken { get; set; }

        public override long GetTimestamp() => IsBroken ? throw new InvalidTimeZoneException("broken") : base.GetTimestamp();
    }
}
