using LoopBridge.Loops;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>The timer heap against a model that cannot be wrong.</summary>
public sealed class TimerQueueTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void AddRemoveTake_AtRandom_AgreesWithASortedModel(int seed)
    {
        var random = new Random(seed);
        var queue = new TimerQueue();
        var model = new SortedSet<(long Deadline, long Sequence)>();
        var timers = new Dictionary<(long, long), LoopTimer>();
        long sequence = 0;
        for (int step = 0; step < 50_000; step++)
        {
            // In waves, so that the heap grows deep and empties again.
            int choice = random.Next(10);
            if (choice < (step / 5_000 % 2 == 0 ? 6 : 3))
            {
                (long, long) key = (random.Next(1_000), sequence++);
                var timer = new LoopTimer(static _ => { }, null, null);
                queue.Add(timer, key.Item1);
                model.Add(key);
                timers.Add(key, timer);
            }
            else if (choice < 8 && model.Count > 0)
            {
                (long, long) key = timers.Keys.ElementAt(random.Next(Math.Min(timers.Count, 50)));
                Assert.True(queue.Remove(timers[key]));
                Assert.False(queue.Remove(timers[key]));
                model.Remove(key);
                timers.Remove(key);
            }
            else
            {
                long now = random.Next(1_000);
                LoopTimer? taken = queue.TakeDue(now);
                if (model.Count == 0 || model.Min.Deadline > now)
                {
                    Assert.Null(taken);
                }
                else
                {
                    Assert.Same(timers[model.Min], taken);
                    timers.Remove(model.Min);
                    model.Remove(model.Min);
                }
            }

            Assert.Equal(model.Count, queue.Count);
            Assert.Equal(model.Count > 0 ? model.Min.Deadline : null, queue.NextDeadline);
        }
    }

    [Fact]
    public void TakeDue_AMillionTimers_ComeInOrderAndTheMemoryGoes()
    {
        const int Count = 1_000_000;
        var random = new Random(4);
        var queue = new TimerQueue();
        for (int i = 0; i < Count; i++)
        {
            queue.Add(new LoopTimer(static _ => { }, null, null), random.NextInt64());
        }

        int full = queue.Capacity;
        long last = 0;
        for (int i = 0; i < Count; i++)
        {
            LoopTimer timer = queue.TakeDue(long.MaxValue)!;
            Assert.True(timer.DeadlineTicks >= last);
            last = timer.DeadlineTicks;
        }

        Assert.Null(queue.TakeDue(long.MaxValue));
        Assert.True(full >= Count);
        Assert.InRange(queue.Capacity, 1, 1024);
    }

    [Fact]
    public void Remove_TimerOfAnotherQueue_ThrowsAndHarmsNeither()
    {
        var mine = new TimerQueue();
        var theirs = new TimerQueue();
        var timer = new LoopTimer(static _ => { }, null, null);
        var other = new LoopTimer(static _ => { }, null, null);
        mine.Add(timer, 1);
        theirs.Add(other, 2);
        Assert.Throws<ArgumentException>(() => mine.Remove(other));
        Assert.Same(timer, mine.TakeDue(5));
        Assert.Throws<ArgumentException>(() => mine.Remove(other));
        Assert.Same(other, theirs.TakeDue(5));
    }

    [Fact]
    public void Clear_Queued_ReleasesThemAll()
    {
        var queue = new TimerQueue();
        var timer = new LoopTimer(static _ => { }, null, null);
        queue.Add(timer, 1);
        queue.Clear();
        Assert.False(timer.IsPending);
        Assert.False(queue.Remove(timer));
        Assert.Null(queue.NextDeadline);
    }
}
