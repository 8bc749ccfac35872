namespace LoopBridge.Kestrel;

/// <summary>On each connection whose socket runs on one of our loops: where the users of its pipes run.</summary>
internal interface ILoopSchedulingFeature
{
    /// <summary>As the process-wide option at first. Waits that begin after a change follow it. Any thread.</summary>
    LoopScheduling Scheduling { get; set; }
}
