using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using LoopBridge.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace LoopBridge.Middleware.Tests.Hosting;

/// <summary>The host shuts its reactors down, whether they stand on a loop or under one.</summary>
public sealed class ReactorShutdownTests
{
    [Theory, ClassData(typeof(Modes))]
    public async Task Stop_OfTheHost_FiresTheShutdownOfEachReactorOnItsThread(LoopBridgeMode mode)
    {
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(mode, LoopDriver.Auto);
        var group = server.Services.GetRequiredService<LoopGroup>();
        var fired = new List<(LoopMember Member, bool OnThread)>();
        foreach (LoopMember member in group.Members)
        {
            IReactor reactor = member.Loop.GetReactor();
            var added = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            reactor.CallFromThread(() =>
            {
                // A task that never ends must not hold up the host.
                reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Shutdown, static () => new TaskCompletionSource().Task);
                reactor.AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Shutdown, () =>
                {
                    lock (fired)
                    {
                        fired.Add((member, reactor.IsInReactorThread));
                    }
                });
                added.SetResult();
            });
            await added.Task.WithDeadline();
        }

        await server.App.StopAsync(TestContext.Current.CancellationToken).WithDeadline();

        Assert.Equal(group.Members.Select(static member => (member, true)), fired.OrderBy(static each => each.Member.Number));
        Assert.All(group.Members, static member => Assert.False(member.Loop.GetReactor().Running));

        // Whoever stops after this service still has the loops: they end with the container.
        foreach (LoopMember member in group.Members)
        {
            await member.MeasureLagAsync().WithDeadline();
        }
    }
}
