using System.Diagnostics;
using System.Text;
using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;

namespace LoopBridge.Transport.Tests.Loops.Guests;

/// <summary>A loop that never rests, and who is told of it.</summary>
public sealed class CrowdTests
{
    [Theory, MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task BusyLoop_ProcessorIsIdle_TellsTheGuestThatRuns(LoopBridgeMode mode, LoopDriver driver)
    {
        using LoopGroup group = StartGroup(mode, driver, idle: 10);
        using var guests = new EndlessGuests(group.Members[0]);
        await guests.Told.WithDeadline();
        Assert.NotSame(Thread.CurrentThread, guests.ToldOn);
        Assert.False(group.Members[0].Loop.IsOnLoopThread);
    }

    [Theory, MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task BusyLoop_NoProcessorIsIdle_TellsNobody(LoopBridgeMode mode, LoopDriver driver)
    {
        int questions = 0;
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using LoopGroup group = StartGroup(mode, driver, idle: 0, () =>
        {
            if (++questions == 4)
            {
                asked.SetResult();
            }
        });
        using var guests = new EndlessGuests(group.Members[0]);
        await asked.Task.WithDeadline();
        Assert.False(guests.Told.IsCompleted);
    }

    [Theory, MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task HeldLoop_ProcessorIsIdle_IsNoCrowd(LoopBridgeMode mode, LoopDriver driver)
    {
        const int Looks = 45; // within which a crowd shows
        using var release = new ManualResetEventSlim();
        bool holderTold = false;
        using LoopGroup group = StartGroup(mode, driver, idle: 10, loops: 2);
        var holder = new TestGuest(() => Assert.True(release.Wait(Deadline.Default))) { Crowded = () => holderTold = true };
        group.Members[0].Loop.AddCallback(() => group.Members[0].Invite(holder));
        await holder.Began;
        using (var guests = new EndlessGuests(group.Members[1], Looks))
        {
            await guests.Told.WithDeadline();
        }

        Assert.False(holderTold);
        Assert.False(holder.HasLost);
        release.Set();
        await holder.Ended;
    }

    [Fact]
    public void IsToBeHad_NobodyNeededOneForLong_WaitsForAnAnswerOfThisTime()
    {
        int questions = 0;
        using var processors = new IdleProcessors(buffer => Encoding.ASCII.GetBytes($"cpu  0 0 0 {++questions * 10} 0 0 0 0 0 0\n", buffer), processors: 2);
        var relief = new CrowdRelief(processors);
        long now = Stopwatch.Frequency;
        Assert.False(relief.IsToBeHad(now));
        Assert.True(relief.IsToBeHad(now += Stopwatch.Frequency / 9));
        Assert.True(relief.IsToBeHad(now + 1));
        Assert.Equal(2, questions);
        Assert.False(relief.IsToBeHad(now += Stopwatch.Frequency));
        Assert.True(relief.IsToBeHad(now + Stopwatch.Frequency / 9));
    }

    private static LoopGroup StartGroup(LoopBridgeMode mode, LoopDriver driver, int idle, Action? asked = null, int loops = 1)
    {
        Assert.SkipWhen(driver == LoopDriver.Epoll && !OperatingSystem.IsLinux(), "epoll is Linux only.");
        int questions = 0;
        int Read(Span<byte> buffer)
        {
            asked?.Invoke();
            questions++;
            return Encoding.ASCII.GetBytes($"cpu  {10 * questions} 0 0 {1 + idle * questions} 0 0 0 0 0 0\n", buffer);
        }

        var supervision = new LoopSupervision
        {
            OverstayLimit = Deadline.Default,
            MakeProcessors = () => new IdleProcessors(Read, processors: 2),
        };
        LoopGroup group = LoopGroups.Create(mode, loops, driver, supervision: supervision);
        group.Start();
        return group;
    }

    /// <summary>A guest that invites itself again, until the end.</summary>
    private sealed class EndlessGuests : IDisposable
    {
        private readonly TaskCompletionSource _told = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly LoopMember _member;
        private int _untilTold;
        private volatile bool _ended;

        internal EndlessGuests(LoopMember member, int times = 1)
        {
            _member = member;
            _untilTold = times;
            member.Loop.AddCallback(Invite);
        }

        internal Task Told => _told.Task;

        internal Thread? ToldOn { get; private set; }

        public void Dispose() => _ended = true;

        private void Invite()
        {
            _member.Invite(new TestGuest(() =>
            {
                // Most of the loop's time is the guests', as it is with HTTP code.
                long begun = Stopwatch.GetTimestamp();
                while (Stopwatch.GetElapsedTime(begun) < TimeSpan.FromMilliseconds(5))
                {
                }

                if (!_ended)
                {
                    _member.Loop.AddCallback(Invite);
                }
            })
            {
                Crowded = () =>
                {
                    ToldOn = Thread.CurrentThread;
                    if (--_untilTold == 0)
                    {
                        _told.TrySetResult();
                    }
                },
            });
        }
    }
}
