using System.Runtime.CompilerServices;
using LoopBridge.Reactors;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>What no reactor may break on, and what none may keep.</summary>
public sealed class ResilienceTests : ReactorContract
{
    [Theory, ReactorStacks]
    [Contract("R-CORE-29"), Contract("R-INV-02")]
    public async Task Turn_ItsOwnPartsThrow_IsLoggedAndTheNextTurnComes(ReactorStack stack)
    {
        // The guard of a loop belongs to the loop, and that ends with a critical log line (CurrentLoopTests.Start_EndsByAnException…).
        SkipUnless(stack.OutlivesAFailedTurn, "a native loop whose clock or driver fails ends its run, and the reactor's with it");
        var clock = new FailingTimeProvider();
        ReactorThread thread = StartReactor(stack, clock);
        await thread.Do(() => thread.Reactor.CallLater(TimeSpan.FromHours(1), () => { })); // so that each turn looks at the clock
        await thread.Turn();

        clock.FailNext();
        thread.Reactor.CallFromThread(() => { }); // wakes it; the next look is the dispatcher's

        Assert.IsType<InvalidTimeZoneException>(Log.WaitAndTake(LogLevel.Error)[0].Exception);
        await thread.Turn();
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-30")]
    public async Task RemoveAll_Running_LeavesTheWayToWakeItUp(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var both = new TestDescriptor(pair.Ours.SafeHandle);
        await thread.Turn();

        Assert.Empty(await thread.Ask(thread.Reactor.RemoveAll));
        await thread.Do(() =>
        {
            thread.Reactor.AddReader(both);
            thread.Reactor.AddWriter(both);
            Assert.Equal([both], thread.Reactor.RemoveAll());
            Assert.Empty(thread.Reactor.RemoveAll());
        });

        await thread.Turn(); // wakes it from other threads
        Assert.Empty(both.Losses);
    }

    [Theory, ReactorStacks]
    [Contract("R-INV-04")]
    public void Dispose_AllKindsOfThingsPending_HoldsNoneOfThem(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        IReactor reactor = NewReactor(stack);

        WeakReference[] given = Fill(reactor, pair);
        DisposeStack(reactor);
        GC.Collect();

        Assert.All(given, reference => Assert.False(reference.IsAlive));
        Assert.False(pair.Ours.SafeHandle.IsClosed);
        GC.KeepAlive(reactor);
    }

    [Theory, ReactorStacks]
    [Contract("R-TIME-18")]
    public void Cancel_ManyFarCalls_KeepsNoMemory(ReactorStack stack)
    {
        const int Count = 100_000;
        IReactor reactor = NewReactor(stack);
        void Round()
        {
            for (int i = 0; i < Count; i++)
            {
                reactor.CallLater(TimeSpan.FromDays(1), static _ => { }, null).Cancel();
            }
        }

        Round();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        Round();
        long after = GC.GetTotalMemory(forceFullCollection: true);

        Assert.InRange(after - before, long.MinValue, Count * 8); // a reference for each would be as much
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference[] Fill(IReactor reactor, SocketPair pair)
    {
        object[] given = [.. Enumerable.Range(0, 4).Select(_ => new object())];
        var descriptor = new TestDescriptor(pair.Ours.SafeHandle);
        reactor.AddReader(descriptor);
        reactor.AddWriter(descriptor);
        reactor.CallLater(TimeSpan.FromHours(1), static _ => { }, given[0]);
        reactor.CallFromThread(static _ => { }, given[1]);
        reactor.CallInThread(() => GC.KeepAlive(given[2]));
        reactor.AddSystemEventTrigger(SystemEventPhase.After, "mine", () => GC.KeepAlive(given[3]));
        return [new WeakReference(descriptor), .. given.Select(each => new WeakReference(each))];
    }

    private sealed class FailingTimeProvider : TimeProvider
    {
        private volatile bool _fails;

        internal void FailNext() => _fails = true;

        public override long GetTimestamp()
        {
            if (_fails)
            {
                _fails = false;
                throw new InvalidTimeZoneException();
            }

            return base.GetTimestamp();
        }
    }
}
