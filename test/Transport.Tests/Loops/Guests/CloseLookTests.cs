using System.Diagnostics;
using System.Text;
using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;

namespace LoopBridge.Transport.Tests.Loops.Guests;

/// <summary>How often the watchdog looks at a loop that has too much to do.</summary>
public sealed class CloseLookTests
{
    // The interval is 5 ms otherwise: so many looks take no less than 20 ms.
    private const int Looks = 5;
    private static readonly TimeSpan TooShortOtherwise = TimeSpan.FromMilliseconds(15);

    [Theory, MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public void Crowd_ProcessorIsIdle_IsLookedAtEachMillisecond(LoopBridgeMode mode, LoopDriver driver)
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
        LoopMember member = group.Members[0];
        bool ended = false;
        void Again()
        {
            member.Invite(new TestGuest(() =>
            {
                if (!Volatile.Read(ref ended))
                {
                    member.Loop.AddCallback(Again);
                }
            }));
        }

        member.Loop.AddCallback(Again);
        Assert.True(SpinWait.SpinUntil(() => LooksInShortTime(group.Watchdog) >= Looks, Deadline.Default), "It does not look more often.");
        Volatile.Write(ref ended, true);
    }

    private static long LooksInShortTime(LoopWatchdog watchdog)
    {
        long begun = Stopwatch.GetTimestamp();
        long before = watchdog.Looks;
        long looks = 0;
        while (Stopwatch.GetElapsedTime(begun) < TooShortOtherwise)
        {
            long soFar = watchdog.Looks - before;
            if (Stopwatch.GetElapsedTime(begun) < TooShortOtherwise)
            {
                looks = soFar;
            }

            Thread.Yield();
        }

        return looks;
    }
}
