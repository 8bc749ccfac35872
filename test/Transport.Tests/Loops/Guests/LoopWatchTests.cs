using System.Diagnostics;
using System.Text;
using LoopBridge.Loops;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoopBridge.Transport.Tests.Loops.Guests;

/// <summary>What the watchdog makes of what it sees of one loop, look by look, in a time of the test's making.</summary>
public sealed class LoopWatchTests : IDisposable
{
    // LoopWatch: so many looks make a judgement, and so many of them must find the loop busy.
    private const int Judgement = 20;
    private const int Busy = 17;

    private static readonly long Interval = Stopwatch.Frequency / 200;
    private static readonly long CloseInterval = Stopwatch.Frequency / 1000;

    private readonly LoopGroup _group = new(count: 1);
    private readonly LoopActivity _activity = new();
    private readonly IdleProcessors _processors;
    private readonly LoopWatch _watch;
    private long _now = Stopwatch.Frequency;
    private int _questions;
    private int _idle = 10;
    private int _idleSum = 1;

    public LoopWatchTests()
    {
        _processors = new IdleProcessors(
            buffer => Encoding.ASCII.GetBytes($"cpu  {10 * ++_questions} 0 0 {_idleSum += _idle} 0 0 0 0 0 0\n", buffer), processors: 2);
        var supervision = new LoopSupervision { OverstayLimit = Deadline.Default };
        _watch = new LoopWatch(_group.Members[0], _activity, supervision, _group.Workers, new CrowdRelief(_processors), NullLogger.Instance);
    }

    public void Dispose()
    {
        _group.Dispose();
        _processors.Dispose();
    }

    [Fact]
    public void LoopThatNeverRests_IsACrowdOnceJudged_AndIsLookedAtCloselyWhenAProcessorIsIdle()
    {
        for (int i = 0; i < Judgement - 1; i++)
        {
            LookAt(new TestGuest());
        }

        Assert.Equal(0, _questions); // nobody is asked before there is need
        LookAt(new TestGuest());
        Assert.Equal(1, _questions);
        Assert.False(_watch.WantsCloseLooks); // what processors did before that says nothing

        for (int i = 0; i < Judgement; i++)
        {
            Assert.False(_watch.WantsCloseLooks);
            LookAt(new TestGuest());
        }

        Assert.Equal(2, _questions);
        Assert.True(_watch.WantsCloseLooks);
    }

    [Theory, InlineData(Busy - 1, false), InlineData(Busy, true)]
    public void LoopThatRestsAtTimes_IsACrowdWhenItIsSeldomFoundAtRest(int busy, bool isCrowd)
    {
        for (int round = 0; round < 4; round++)
        {
            for (int i = 0; i < Judgement; i++)
            {
                if (i < Judgement - busy)
                {
                    LookAtRest();
                }
                else
                {
                    LookAt(new TestGuest());
                }
            }
        }

        Assert.Equal(isCrowd, _watch.WantsCloseLooks);
    }

    [Fact]
    public void Crowd_GuestThatIsSeenTwiceCloseTogether_IsTold()
    {
        BecomeCrowded();
        int told = 0;
        var guest = new TestGuest { Crowded = () => told++ };
        LookAt(guest, CloseInterval);
        Assert.Equal(0, told); // seen once: it may have begun just now
        LookAgain(CloseInterval);
        Assert.Equal(1, told);
    }

    [Fact]
    public void Crowd_GuestsThatTakeLessThanThat_AreNotTold()
    {
        BecomeCrowded();
        for (int i = 0; i < 100; i++)
        {
            LookAt(new TestGuest { Crowded = static () => Assert.Fail("It is short.") }, CloseInterval);
        }

        Assert.True(_watch.WantsCloseLooks);
    }

    // The look before was an ordinary one: five milliseconds ago nobody knew that there is a crowd.
    [Fact]
    public void Crowd_GuestThatIsSeenTwice_IsNotToldBeforeLooksAreClose()
    {
        for (int i = 0; i < 2 * Judgement - 1; i++)
        {
            LookAt(new TestGuest());
        }

        int told = 0;
        LookAt(new TestGuest { Crowded = () => told++ }, 0);
        Assert.False(_watch.WantsCloseLooks);
        LookAgain(Interval);
        Assert.True(_watch.WantsCloseLooks);
        Assert.Equal(0, told);
        LookAgain(CloseInterval);
        Assert.Equal(1, told);
    }

    [Fact]
    public void Crowd_CallbackThatIsSeenTwice_IsNobodyToTell()
    {
        BecomeCrowded();
        _activity.Begin(new object());
        Look(CloseInterval);
        Look(CloseInterval);
        Assert.True(_watch.WantsCloseLooks);
    }

    [Fact]
    public void Crowd_GuestThatHoldsTheLoop_IsToldAndThenNoCrowdAnyMore()
    {
        BecomeCrowded();
        int told = 0;
        LookAt(new TestGuest { Crowded = () => told++ }, CloseInterval);
        for (int i = 0; i < 100; i++)
        {
            LookAgain(CloseInterval);
        }

        Assert.InRange(told, 1, 15); // within twice the interval of ordinary looks
        Assert.False(_watch.WantsCloseLooks);
    }

    [Fact]
    public void Crowd_LoopComesToRest_IsLookedAtAsBefore()
    {
        BecomeCrowded();
        LookAtRest();
        Assert.False(_watch.WantsCloseLooks);
        for (int i = 0; i < Judgement; i++)
        {
            LookAtRest();
        }

        LookAt(new TestGuest());
        Assert.False(_watch.WantsCloseLooks);
    }

    [Fact]
    public void Crowd_ProcessorsAreBusyMeanwhile_NobodyIsTold()
    {
        BecomeCrowded();
        _idle = 0;
        LookAt(new TestGuest(), Stopwatch.Frequency / 9); // they are asked again
        Assert.False(_watch.WantsCloseLooks);
        var guest = new TestGuest { Crowded = static () => Assert.Fail("There is no place for it elsewhere.") };
        LookAt(guest, CloseInterval);
        LookAgain(CloseInterval);
    }

    private void BecomeCrowded()
    {
        for (int i = 0; i < 2 * Judgement; i++)
        {
            LookAt(new TestGuest());
        }

        Assert.True(_watch.WantsCloseLooks);
    }

    // As if that guest ran since a moment ago.
    private void LookAt(TestGuest guest, long? after = null)
    {
        long ticket = _activity.BeginGuest(guest);
        Look(after ?? Interval);
        _activity.TryEndGuest(ticket);
    }

    private void LookAgain(long after) => Look(after);

    private void LookAtRest()
    {
        _activity.Rest();
        Look(Interval);
    }

    private void Look(long after)
    {
        _now += after;
        _watch.Look(_now);
    }
}
