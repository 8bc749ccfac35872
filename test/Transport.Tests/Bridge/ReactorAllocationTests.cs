using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Bridge;

/// <summary>A layer below a reactor adds nothing to what an operation allocates, but the handle of its own that it gives out.</summary>
public sealed class ReactorAllocationTests : ReactorContract
{
    [Theory, ReactorStacks]
    public async Task CallFromThread_AnyDepth_AllocatesNothing(ReactorStack stack)
    {
        Assert.Equal(0, await CostAsync(stack, static (reactor, meter) => reactor.CallFromThread(AllocationMeter.CountAction, meter)));
        Assert.Equal(0, await CostAsync(stack, static (reactor, meter) => reactor.CallBeforePoll(AllocationMeter.CountAction, meter)));
    }

    [Theory, ReactorStacks]
    public async Task CallLater_AnyDepth_AllocatesWhatItDoesNativelyAndOneHandleForEachLayer(ReactorStack stack)
    {
        ReactorStack nativeStack = ReactorStack.All.Single(each => !each.IsOnLoop && each.Driver == stack.Driver);
        int loopsOnReactors = stack.Name.Split("L/R").Length - 1;
        double native = await CostAsync(nativeStack, Schedule);
        double cost = await CostAsync(stack, Schedule);
        Assert.Equal(native + (loopsOnReactors * AllocationMeter.HandlesOfALoopOnAReactor), cost);

        static void Schedule(IReactor reactor, AllocationMeter meter)
            => reactor.CallLater(TimeSpan.Zero, AllocationMeter.CountAction, meter);
    }

    [Theory, ReactorStacks]
    public async Task CallFromThread_FromAnotherThread_AllocatesNothingThere(ReactorStack stack)
    {
        IReactor reactor = StartReactor(stack).Reactor;
        int ran = 0;
        Action<object?> call = _ => ran++;
        long least = long.MaxValue;
        for (int window = 0; window < 6; window++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 500; i++)
            {
                reactor.CallFromThread(call, null);
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            await reactor.Turn();
        }

        Assert.Equal(0, least);
        Assert.Equal(6 * 500, ran);
    }

    private Task<double> CostAsync(ReactorStack stack, Action<IReactor, AllocationMeter> operate)
    {
        IReactor reactor = StartReactor(stack).Reactor;
        return new AllocationMeter((call, state) => reactor.CallFromThread(call, state), meter => operate(reactor, meter)).MeasureAsync();
    }
}
