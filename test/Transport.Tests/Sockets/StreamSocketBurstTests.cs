using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>Flushes from other threads, one after another. While the loop is held, it is not the loop that sends.</summary>
public sealed class StreamSocketBurstTests
{
    private const int Each = 10;

    public static TheoryData<Stand> Stands => [Stand.Epoll, Stand.Managed, Stand.Handlers, Stand.HandlersOnManaged];

    [Theory, MemberData(nameof(Stands))]
    public async Task Flush_OnAThreadOfItsOwn_TheFirstLeavesAtOnceAndTheLoopSendsTheRest(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand);

        long alone = await FlushWhileHeldAsync(connected, flushes: 3);

        Assert.Equal(Each, alone);
        Assert.Equal(3 * Each, connected.Socket.Sent);
    }

    [Theory, MemberData(nameof(Stands))]
    public async Task Flush_BurstAfterBurst_AllOfTheSecondLeavesTogether(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand);
        await FlushWhileHeldAsync(connected, flushes: 3);

        Assert.Equal(0, await FlushWhileHeldAsync(connected, flushes: 3));
        Assert.Equal(6 * Each, connected.Socket.Sent);
    }

    [Theory, MemberData(nameof(Stands))]
    public async Task Flush_AloneAfterABurst_LeavesAtOnceAgainFromTheSecondOn(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand);
        await FlushWhileHeldAsync(connected, flushes: 3);

        Assert.Equal(0, await FlushWhileHeldAsync(connected, flushes: 1));
        Assert.Equal(Each, await FlushWhileHeldAsync(connected, flushes: 1));
        Assert.Equal(5 * Each, connected.Socket.Sent);
    }

    [Theory, MemberData(nameof(Stands))]
    public async Task Flush_OnThePool_ThePoolSendsTheRest(Stand stand)
    {
        await using Connected connected = await Connected.OpenAsync(stand);
        using var begun = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        Task held = connected.Loop.InvokeAsync(() => Hold(begun, release));
        Assert.True(begun.Wait(Deadline.Default, TestContext.Current.CancellationToken));
        try
        {
            for (int round = 1; round <= 2; round++)
            {
                await Task.Run(() => Flush(connected, 3), TestContext.Current.CancellationToken).WithDeadline();
                Assert.True(SpinWait.SpinUntil(() => connected.Socket.Sent == round * 3 * Each, Deadline.Default));
            }
        }
        finally
        {
            release.Set();
        }

        await held;
    }

    /// <summary>How much has left while nobody but the flushing thread could send; then the loop sends.</summary>
    private static async Task<long> FlushWhileHeldAsync(Connected connected, int flushes)
    {
        using var begun = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        Task held = connected.Loop.InvokeAsync(() => Hold(begun, release));
        Assert.True(begun.Wait(Deadline.Default, TestContext.Current.CancellationToken));
        long before = connected.Socket.Sent;
        var thread = new Thread(() => Flush(connected, flushes));
        thread.Start();
        Assert.True(thread.Join(Deadline.Default));
        long sent = connected.Socket.Sent - before;
        release.Set();
        await held;
        await connected.Loop.SettleAsync();
        return sent;
    }

    private static void Hold(ManualResetEventSlim begun, ManualResetEventSlim release)
    {
        begun.Set();
        Assert.True(release.Wait(Deadline.Default));
    }

    private static void Flush(Connected connected, int flushes)
    {
        for (int i = 0; i < flushes; i++)
        {
            connected.Socket.Write(new byte[Each]);
            connected.Socket.Flush();
        }
    }
}
