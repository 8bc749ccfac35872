using Microsoft.Extensions.Logging;

namespace LoopBridge.Manual;

/// <summary>How one <see cref="ManualLoop"/> is made.</summary>
public sealed class ManualLoopOptions
{
    /// <summary>The loop's name in logs and errors. Defaults to <c>manual</c>.</summary>
    public string Name { get; set; } = "manual";

    /// <summary>
    /// What <see cref="TimeProvider.GetUtcNow"/> of <see cref="ManualLoop.TimeProvider"/> says at first. Defaults to the beginning of 2000,
    /// UTC, so that each run of a test sees the same time. <see cref="ManualLoop.Time"/> begins at zero whatever this is.
    /// </summary>
    public DateTimeOffset StartTime { get; set; } = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>
    /// How many turns one call may run without coming to its end before it fails: code that schedules itself again and again would keep a
    /// test running for ever. <see cref="ManualLoop.Advance"/> counts anew at each deadline. At least 1; defaults to 100 000.
    /// </summary>
    public int MaxTurns { get; set; } = 100_000;

    /// <summary>Where the loop logs, which is little: exceptions that escape callbacks are thrown to the test. Defaults to none.</summary>
    public ILogger? Logger { get; set; }
}
