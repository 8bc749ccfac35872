using LoopBridge.Benchmarks.Trials.Callbacks;
using LoopBridge.Benchmarks.Trials.Servers;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>All trials, in the order they are run and printed.</summary>
internal static class TrialList
{
    /// <summary>Those of whole servers, which the README's table shows beside the scenarios.</summary>
    public static IReadOnlyList<ITrial> OfServers { get; } =
    [
        new IdleConnectionsTrial(),
        new AllocationTrial(),
        new SystemCallsTrial(),
        new SchedulingTrial(),
        new BlockingTrial(),
    ];

    public static IReadOnlyList<ITrial> All { get; } =
    [
        .. OfServers,
        new CallbackTrial(),
        new TimeoutTrial(),
        new IdleTrial(),
        new LayersTrial(),
        new StreamEchoTrial(),
        new StackEchoTrial(),
        new ModesTrial(),
        new ReadUntilTrial(),
    ];
}
