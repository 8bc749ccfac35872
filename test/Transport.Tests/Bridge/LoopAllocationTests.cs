using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;

namespace LoopBridge.Transport.Tests.Bridge;

/// <summary>A layer below a loop adds nothing to what an operation allocates, but the handle of its own that it gives out.</summary>
public sealed class LoopAllocationTests : LoopContract
{
    [Theory, LoopStacks]
    public async Task AddCallback_AnyDepth_AllocatesNothing(LoopStack stack)
    {
        Assert.Equal(0, await CostAsync(stack, static (loop, meter) => loop.AddCallback(AllocationMeter.CountAction, meter)));
        Assert.Equal(0, await CostAsync(stack, static (loop, meter) => loop.CallBeforePoll(AllocationMeter.CountAction, meter)));
    }

    [Theory, LoopStacks]
    public async Task CallLater_AnyDepth_AllocatesWhatItDoesNativelyAndOneHandleForEachLayer(LoopStack stack)
    {
        double native = await CostAsync(stack.Native, Schedule);
        double cost = await CostAsync(stack, Schedule);
        Assert.Equal(native + (stack.Depth * AllocationMeter.HandlesOfALoopOnAReactor), cost);

        static void Schedule(IEventLoop loop, AllocationMeter meter) => loop.CallLater(TimeSpan.Zero, AllocationMeter.CountAction, meter);
    }

    [Theory, LoopStacks]
    public async Task RemoveTimeout_AnyDepth_AllocatesNothingMore(LoopStack stack)
    {
        double native = await CostAsync(stack.Native, ScheduleAndRemove);
        double cost = await CostAsync(stack, ScheduleAndRemove);
        Assert.Equal(native + (stack.Depth * AllocationMeter.HandlesOfALoopOnAReactor), cost);

        static void ScheduleAndRemove(IEventLoop loop, AllocationMeter meter)
        {
            loop.RemoveTimeout(loop.CallLater(TimeSpan.FromHours(1), AllocationMeter.CountAction, meter));
            meter.Count();
        }
    }

    [Theory, LoopStacks]
    public async Task UpdateHandler_AnyDepth_AllocatesNothing(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp()); // before the layers, which hold it until they end
        LoopThread thread = StartLoop(stack);
        await thread.Do(() => thread.Loop.AddHandler(pair.Near.SafeHandle, IoEvents.None, static (_, _) => { }));
        Assert.Equal(0, await CostAsync(thread.Loop, (loop, meter) =>
        {
            loop.UpdateHandler(pair.Near.SafeHandle, IoEvents.Read);
            loop.UpdateHandler(pair.Near.SafeHandle, IoEvents.None);
            meter.Count();
        }));
    }

    private Task<double> CostAsync(LoopStack stack, Action<IEventLoop, AllocationMeter> operate)
        => CostAsync(StartLoop(stack).Loop, operate);

    private static Task<double> CostAsync(IEventLoop loop, Action<IEventLoop, AllocationMeter> operate)
        => new AllocationMeter((callback, state) => loop.AddCallback(callback, state), meter => operate(loop, meter)).MeasureAsync();
}
