using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;

namespace LoopBridge.Transport.Tests.Loops.Guests;

/// <summary>The threads that hand-overs have brought go when nobody needs them, and never the one that has the loop.</summary>
public sealed class WorkerEndTests
{
    [Theory, MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task ThreadsOfHandOvers_IdleForTheirTime_EndAndTheLoopGoesOn(LoopBridgeMode mode, LoopDriver driver)
    {
        const int Guests = 4;
        Assert.SkipWhen(driver == LoopDriver.Epoll && !OperatingSystem.IsLinux(), "epoll is Linux only.");
        using LoopGroup group = LoopGroups.Create(mode, 1, driver, supervision: new LoopSupervision
        {
            OverstayLimit = TimeSpan.FromMilliseconds(4),
            StallLimit = Deadline.Default,
            WorkerIdleTime = TimeSpan.FromMilliseconds(1),
        });
        group.Start();
        LoopMember member = group.Members[0];

        // Twice: those that come later are new ones.
        for (int round = 0; round < 2; round++)
        {
            using var release = new ManualResetEventSlim();
            TestGuest[] guests = [.. Enumerable.Range(0, Guests).Select(_ => TestGuest.Blocking(release))];
            await member.DoAsync(() => Array.ForEach(guests, member.Invite));
            await Task.WhenAll(guests.Select(static guest => guest.Lost));
            Assert.Equal(Guests + 1, group.Workers.Total);

            release.Set();
            await Task.WhenAll(guests.Select(static guest => guest.Ended));
            Assert.True(SpinWait.SpinUntil(() => group.Workers.Total == 1, Deadline.Default), $"There are {group.Workers.Total} threads.");
            Assert.All(guests, static guest => Assert.True(guest.Thread!.Join(Deadline.Default)));
            await member.DoAsync(() => Assert.True(member.Loop.IsOnLoopThread));
            Assert.Equal(0, group.BusyWorkers);
        }
    }
}
