using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>The arithmetic alone, with the numbers of the contract.</summary>
public sealed class PeriodicScheduleTests
{
    private static readonly TimeSpan Ten = TimeSpan.FromSeconds(10);

    [Fact, Contract("L-PER-03")]
    public void Next_ClockWentBackwards_IsOnePeriodAfterTheScheduledTime()
    {
        Assert.Equal(At(1010), PeriodicSchedule.Next(At(1000), At(1000), Ten));
        Assert.Equal(At(1020), PeriodicSchedule.Next(At(1010), At(990), Ten));
        Assert.Equal(At(1020), PeriodicSchedule.Next(At(1010), At(-5), Ten));
        Assert.Equal(At(1030), PeriodicSchedule.Next(At(1020), At(1020), Ten));
    }

    [Fact, Contract("L-PER-04")]
    public void Interval_Jitter_ScalesThePeriod()
    {
        TimeSpan scheduled = At(1000);
        var places = new List<TimeSpan>();
        foreach (double random in new[] { 0.5, 1, 0, 0.75 })
        {
            scheduled = PeriodicSchedule.Next(scheduled, scheduled, PeriodicSchedule.Interval(Ten, 0.5, random));
            places.Add(scheduled);
        }

        Assert.Equal([At(1010), At(1022.5), At(1030), At(1041.25)], places);
    }

    [Fact, Contract("L-PER-05")]
    public void Next_PeriodOfMilliseconds_IsExact()
    {
        // Tornado's grid is one of floating point; ticks do not drift.
        TimeSpan scheduled = At(1000);
        for (int i = 0; i < 1_000_000; i++)
        {
            scheduled = PeriodicSchedule.Next(scheduled, scheduled, TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal(At(2000), scheduled);
    }

    [Fact, Contract("L-PER-02")]
    public void Next_ExactlyAtTheFollowingPlace_SkipsIt()
    {
        Assert.Equal(At(1020), PeriodicSchedule.Next(At(1010), At(1019.9), Ten));
        Assert.Equal(At(1030), PeriodicSchedule.Next(At(1010), At(1020), Ten));
        Assert.Equal(At(1050), PeriodicSchedule.Next(At(1010), At(1041), Ten));
    }

    [Fact]
    public void Next_PeriodWithoutEnd_IsForEver()
    {
        Assert.Equal(TimeSpan.MaxValue, PeriodicSchedule.Next(At(1000), At(1000), TimeSpan.MaxValue));
        Assert.Equal(TimeSpan.MaxValue, PeriodicSchedule.Interval(TimeSpan.MaxValue, 1, 1));
        Assert.Equal(TimeSpan.FromTicks(1), PeriodicSchedule.Interval(TimeSpan.FromTicks(1), 1, 0));
    }

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);
}
