using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>Several loops, their threads, and who goes where.</summary>
[Collection(NonParallel.Name)]
public sealed class LoopGroupTests
{
    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public void Acquire_Repeatedly_PlacesOnTheLeastLoaded(LoopBridgeMode mode, LoopDriver driver)
    {
        using LoopGroup group = LoopGroups.Create(mode, 3, driver);
        LoopMember[] placed = [.. Enumerable.Range(0, 6).Select(_ => group.Acquire())];
        Assert.Equal([0, 1, 2, 0, 1, 2], placed.Select(static member => member.Number));
        placed[1].Release();
        placed[4].Release();
        Assert.Equal(1, group.Acquire().Number);
        Assert.Equal(1, group.Acquire().Number);
        Assert.All(group.Members, static member => Assert.Equal(2, member.Connections));
        Assert.Same(placed[0], group.Find(placed[0].Loop));
        Assert.Null(group.Find(null));
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Start_FromSeveralThreads_StartsOneThreadPerLoop(LoopBridgeMode mode, LoopDriver driver)
    {
        using LoopGroup group = LoopGroups.Create(mode, 2, driver);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(group.Start))).WithDeadline();
        group.Start();
        int[] ids = [await ThreadOf(group.Members[0]), await ThreadOf(group.Members[1])];
        Assert.NotEqual(ids[0], ids[1]);
        Assert.Equal(ids, group.Members.Select(static member => member.GetStatistics().ThreadId));
        Assert.Equal(["loop-0", "loop-1"], group.Members.Select(static member => member.GetStatistics().Name));
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    [Contract("L-INV-06")]
    public async Task Dispose_Running_EndsTheThreadsAndLeavesNoDescriptor(LoopBridgeMode mode, LoopDriver driver)
    {
        LoopGroups.Create(mode, 1, driver).Dispose();
        LeakCheck leaks = LeakCheck.Begin();
        LoopGroup group = LoopGroups.Create(mode, 4, driver);
        group.Start();
        var threads = new List<Thread>();
        foreach (LoopMember member in group.Members)
        {
            threads.Add(await On(member, static () => Thread.CurrentThread));
        }

        group.Dispose();
        group.Dispose();
        Assert.All(threads, static thread => Assert.False(thread.IsAlive));
        Assert.All(group.Members, static member => Assert.False(member.Loop.AddCallback(static () => { })));
        leaks.Verify();
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public void Dispose_NeverOrJustStarted_LeavesNoDescriptor(LoopBridgeMode mode, LoopDriver driver)
    {
        LeakCheck leaks = LeakCheck.Begin();
        LoopGroup idle = LoopGroups.Create(mode, 2, driver);
        idle.Dispose();
        Assert.Throws<ObjectDisposedException>(idle.Start);
        for (int i = 0; i < 20; i++)
        {
            using LoopGroup group = LoopGroups.Create(mode, 2, driver);
            group.Start();
        }

        leaks.Verify();
    }

    [Fact]
    public void Count_NotGiven_IsOneForEveryTwoProcessors()
    {
        using var group = new LoopGroup();
        Assert.Equal(Math.Max(Environment.ProcessorCount / 2, 1), group.Count);
    }

    private static Task<int> ThreadOf(LoopMember member) => On(member, static () => Environment.CurrentManagedThreadId);

    private static Task<T> On<T>(LoopMember member, Func<T> question)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Assert.True(member.Loop.AddCallback(() => answer.SetResult(question())));
        return answer.Task.WithDeadline();
    }
}
