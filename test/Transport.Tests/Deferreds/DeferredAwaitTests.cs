using System.Runtime.CompilerServices;
using LoopBridge.Deferreds;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Deferreds;

/// <summary>Awaiting a Deferred, and async methods that return one.</summary>
public sealed class DeferredAwaitTests
{
    private static readonly AsyncLocal<string?> Ambient = new();

    [Fact, Contract("R-DEF-28")]
    public void Await_OfAnUnfired_GoesOnInsideTheFiringOnItsThread()
    {
        var source = new Deferred<int>();
        int thread = -1;
        Deferred<int> routine = Add(source);
        Assert.False(routine.IsFired);

        var firing = new Thread(() => source.Callback(4));
        firing.Start();
        Assert.True(firing.Join(Deadline.Default));

        Assert.Equal(5, routine.ValueNow());
        Assert.Equal(firing.ManagedThreadId, thread);

        async Deferred<int> Add(Deferred<int> value)
        {
            int result = await value;
            thread = Environment.CurrentManagedThreadId;
            return result + 1;
        }
    }

    [Fact, Contract("R-DEF-28")]
    public void Await_IgnoresTheSynchronizationContext()
    {
        SynchronizationContext? before = SynchronizationContext.Current;
        var refusing = new RefusingContext();
        SynchronizationContext.SetSynchronizationContext(refusing);
        try
        {
            var source = new Deferred<int>();
            Task<int> waiting = Wait(source);
            SynchronizationContext.SetSynchronizationContext(null);
            source.Callback(2);
            Assert.True(waiting.IsCompletedSuccessfully);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }

        static async Task<int> Wait(Deferred<int> deferred) => await deferred;
    }

    [Fact, Contract("R-DEF-28")]
    public void Await_OfAFired_GoesOnAtOnce()
    {
        Deferred<int> routine = Twice(Deferred.Succeed(4));
        Assert.Equal(8, routine.ValueNow());

        static async Deferred<int> Twice(Deferred<int> value) => await value * 2;
    }

    [Fact, Contract("R-DEF-28")]
    public void Await_Twice_GivesTheValueBothTimesAndLeavesItInTheChain()
    {
        var source = new Deferred<int>();
        int third = 0;
        Deferred<int> first = Pass(source);
        Deferred<int> second = Pass(source);
        source.AddCallback(value => third = value);

        source.Callback(6);

        Assert.Equal((6, 6, 6), (first.ValueNow(), second.ValueNow(), third));

        static async Deferred<int> Pass(Deferred<int> value) => await value;
    }

    [Fact, Contract("R-DEF-28")]
    public void Await_OfAFailure_ThrowsTheOriginalException()
    {
        var error = new FormatException();
        var source = new Deferred<int>();
        Deferred<string> routine = Catch(source);

        source.Errback(error);

        Assert.Equal("caught", routine.ValueNow());

        async Deferred<string> Catch(Deferred value)
        {
            try
            {
                await value;
                return "not reached";
            }
            catch (FormatException caught) when (ReferenceEquals(caught, error))
            {
                // Expected: the awaited failure.
                return "caught";
            }
        }
    }

    [Fact, Contract("R-DEF-28")]
    public void GetResult_BeforeTheResult_Throws()
        => Assert.Throws<InvalidOperationException>(() => { new Deferred<int>().GetAwaiter().GetResult(); });

    [Fact, Contract("R-DEF-28")]
    public void Await_FromAHandlerOfTheSameDeferred_GoesOnAfterTheHandler()
    {
        var seen = new List<string>();
        var deferred = new Deferred<int>();
        deferred.AddCallback(value =>
        {
            Watch().AddErrback(_ => default(Unit));
            seen.Add("handler");
            return value + 1;
        });

        deferred.Callback(1);

        Assert.Equal(["handler", "awaited 2"], seen);

        async Deferred<Unit> Watch()
        {
            int value = await deferred;
            seen.Add($"awaited {value}");
            return default;
        }
    }

    [Fact, Contract("R-DEF-28")]
    public void AsyncHandler_IsAwaitedByTheChain()
    {
        var inner = new Deferred<int>();
        int seen = 0;
        var outer = new Deferred<int>();
        outer.AddCallback(async value => value + await inner).AddCallback(value => seen = value);

        outer.Callback(1);
        Assert.Equal(0, seen);
        inner.Callback(10);

        Assert.Equal(11, seen);
    }

    [Fact, Contract("R-DEF-28")]
    public void AsyncMethod_ThatThrows_FailsItsDeferred()
    {
        var error = new FormatException();
        Assert.Same(error, Throw().ErrorNow());

        async Deferred<int> Throw()
        {
            await Deferred.Succeed();
            throw error;
        }
    }

    [Fact, Contract("R-DEF-28")]
    public void AsyncMethods_NestedAThousandDeep_FitAnOrdinaryStack()
    {
        var source = new Deferred<int>();
        Deferred<int> outermost = Nest(1000);

        source.Callback(1);

        Assert.Equal(1001, outermost.ValueNow());

        async Deferred<int> Nest(int depth) => depth == 0 ? await source : await Nest(depth - 1) + 1;
    }

    [Fact, Contract("R-DEF-28")]
    public void AsyncMethod_ThatAwaitsThousandsOfFired_UsesConstantStack()
    {
        Assert.Equal(100_000, Count().ValueNow());

        static async Deferred<int> Count()
        {
            int sum = 0;
            for (int i = 0; i < 100_000; i++)
                sum += await Deferred.Succeed(1);
            return sum;
        }
    }

    [Fact, Contract("R-DEF-29")]
    public void Cancel_OfAnAsyncMethod_CancelsWhatItAwaitsThroughAnyNesting()
    {
        bool cancelled = false;
        var source = new Deferred<int>(_ => cancelled = true);
        Deferred<int> outer = Outer();

        outer.Cancel();

        Assert.True(cancelled);
        Assert.IsType<DeferredCancelledException>(outer.ErrorNow());

        async Deferred<int> Outer() => await Inner() + 1;
        async Deferred<int> Inner() => await source + 1;
    }

    [Fact, Contract("R-DEF-29")]
    public void Cancel_OfAnAsyncMethod_MayBeTranslatedOrSurvived()
    {
        Deferred<int> survivor = Survive(new Deferred<int>(), new Deferred<int>());
        survivor.Cancel();
        Assert.False(survivor.IsFired);
        survivor.Cancel();
        Assert.Equal(2, survivor.ValueNow());

        static async Deferred<int> Survive(params Deferred<int>[] waits)
        {
            int cancellations = 0;
            foreach (Deferred<int> wait in waits)
            {
                try
                {
                    await wait;
                }
                catch (OperationCanceledException)
                {
                    // Survived on purpose.
                    cancellations++;
                }
            }

            return cancellations;
        }
    }

    [Theory, Contract("R-DEF-29")]
    [InlineData(false)]
    [InlineData(true)]
    public void Cancel_BetweenTwoAwaits_IsMeantForTheNext(bool nextIsATask)
    {
        bool cancelled = false;
        var first = new Deferred<int>();
        var second = new Deferred<int>(_ => cancelled = true);
        var task = new TaskCompletionSource<int>();
        Deferred<int>? routine = null;
        routine = Routine();

        first.Callback(1);

        Assert.Equal(!nextIsATask, cancelled);
        Assert.IsType<DeferredCancelledException>(routine.ErrorNow());

        async Deferred<int> Routine()
        {
            await first;
            routine!.Cancel();
            return nextIsATask ? await task.Task.ConfigureAwait(false) : await second;
        }
    }

    [Fact, Contract("R-DEF-29")]
    public void Cancel_InTheLastPartOfAnAsyncMethod_ComesTooLate()
    {
        var source = new Deferred<int>();
        Deferred<int>? routine = null;
        routine = Routine();

        source.Callback(1);

        Assert.Equal(2, routine.ValueNow());

        async Deferred<int> Routine()
        {
            int value = await source;
            routine!.Cancel();
            return value + 1;
        }
    }

    [Fact, Contract("R-DEF-29")]
    public void Cancel_OfAnAsyncMethodThatAwaitsATask_FailsAtOnceAndIgnoresTheRest()
    {
        var task = new TaskCompletionSource<int>();
        Deferred<int> routine = Wait(task.Task);

        routine.Cancel();
        Assert.IsType<DeferredCancelledException>(routine.ErrorNow());
        task.SetResult(1);

        Assert.EndsWith("result 0", routine.ToString(), StringComparison.Ordinal);

        static async Deferred<int> Wait(Task<int> task) => await task.ConfigureAwait(false);
    }

    [Fact, Contract("R-DEF-30")]
    public void Failure_ThroughDeferredsAndAwaits_KeepsItsFirstStack()
    {
        var source = new Deferred<int>();
        Deferred<int> chain = source
            .AddCallback(_ => ThrowDeep())
            .AddErrback(error => throw error)
            .Then(value => (long)value, error => throw error)
            .Then(value => (int)value);
        Deferred<int> routine = Outer();

        source.Callback(1);

        Exception thrown = routine.ErrorNow();
        Assert.Contains(nameof(ThrowDeep), thrown.StackTrace, StringComparison.Ordinal);

        async Deferred<int> Outer() => await Inner();
        async Deferred<int> Inner() => await chain;
    }

    [Fact, Contract("R-DEF-31")]
    public void AmbientContext_SetBeforeASuspension_IsSeenAfterIt()
    {
        var source = new Deferred<int>();
        Ambient.Value = "outside";
        Deferred<string?> routine = Suspend();
        Assert.Equal("outside", Ambient.Value);

        Ambient.Value = "firing";
        source.Callback(1);

        Assert.Equal("inside", routine.ValueNow());
        Assert.Equal("firing", Ambient.Value);

        async Deferred<string?> Suspend()
        {
            Ambient.Value = "inside";
            await source;
            return Ambient.Value;
        }
    }

    [Fact, Contract("R-DEF-31")]
    public void OnCompleted_FlowsTheCallersContext()
    {
        var source = new Deferred<int>();
        string? seen = null;
        Ambient.Value = "caller";
        source.GetAwaiter().OnCompleted(() => seen = Ambient.Value);
        Ambient.Value = "firing";

        source.Callback(1);

        Assert.Equal("caller", seen);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int ThrowDeep() => throw new FormatException("deep");

    private sealed class RefusingContext : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => Assert.Fail("An awaiter must not post.");
    }
}
