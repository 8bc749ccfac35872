using LoopBridge.Benchmarks.Trials.Callbacks;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>All trials, in the order they are run and printed.</summary>
internal static class TrialList
{
    public static IReadOnlyList<ITrial> All { get; } =
    [
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
