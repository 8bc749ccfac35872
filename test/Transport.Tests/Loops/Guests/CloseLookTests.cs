using System.Text;
using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;

namespace LoopBridge.Transport.Tests.Loops.Guests;

/// <summary>How often the watchdog looks at a loop that has too much to do.</summary>
public sealed class CloseLookTests : IDisposable
{
    // A guest is told for no longer than it takes to hold a loop, 10 ms: three times at most if looks were 5 ms apart.
    private const int Times = 5;
    private static readonly TimeSpan RunTime = TimeSpan.FromMilliseconds(9);

    private readonly ManualResetEventSlim _end = new();
    private readonly TaskCompletionSource _toldOften = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose() => _end.Dispose();

    [Theory, MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Crowd_ProcessorIsIdle_IsLookedAtEachMillisecond(LoopBridgeMode mode, LoopDriver driver)
    {
        Assert.SkipWhen(driver == LoopDriver.Epoll && !OperatingSystem.IsLinux(), "epoll is Linux only.");
        int questions = 0;
        using LoopGroup group = LoopGroups.Create(mode, 1, driver, supervision: new LoopSupervision
        {
            OverstayLimit = Deadline.Default,
            MakeProcessors = () => new IdleProcessors(
                buffer => Encoding.ASCII.GetBytes($"cpu  0 0 0 {10 * ++questions} 0 0 0 0 0 0\n", buffer), processors: 2),
        });
        group.Start();
        group.Members[0].Loop.AddCallback(() => InviteAgain(group.Members[0]));
        await _toldOften.Task.WithDeadline();
        _end.Set();
    }

    // One after the other, so that the loop never rests, and each without any use of the processor.
    private void InviteAgain(LoopMember member)
    {
        int told = 0;
        member.Invite(new TestGuest(() =>
        {
            if (!_end.Wait(RunTime))
            {
                member.Loop.AddCallback(() => InviteAgain(member));
            }
        })
        {
            Crowded = () =>
            {
                if (++told == Times)
                {
                    _toldOften.TrySetResult();
                }
            },
        });
    }
}
