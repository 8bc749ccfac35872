using LoopBridge.Benchmarks.Trials.Callbacks;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>All trials, in the order they are run and printed.</summary>
internal static class TrialList
{
    /// <summary>Those of whole servers, which the README's table shows beside the scenarios.</summary>
    public static IReadOnlyList<ITrial> OfServers { get; } =
    [
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
