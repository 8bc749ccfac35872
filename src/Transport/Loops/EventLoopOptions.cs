using Microsoft.Extensions.Logging;

namespace LoopBridge.Loops;

/// <summary>How one <see cref="EventLoop"/> is made.</summary>
public sealed class EventLoopOptions
{
    /// <summary>The loop's name in logs, metrics and thread lists. Defaults to <c>loop</c>.</summary>
    public string Name { get; set; } = "loop";

    /// <summary>The mechanism underneath. Defaults to <see cref="LoopDriver.Auto"/>.</summary>
    public LoopDriver Driver { get; set; } = LoopDriver.Auto;

    /// <summary>The clock. Defaults to <see cref="TimeProvider.System"/>; only its monotonic half is used.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Where exceptions go that escape callbacks. Defaults to none.</summary>
    public ILogger? Logger { get; set; }

    /// <summary>
    /// Whether the loop becomes the <see cref="CurrentLoop"/> of the thread that makes it. Defaults to null: if that has none. True: it
    /// must, and making it throws where there is one. False: it is current while it runs, and only then.
    /// </summary>
    public bool? MakeCurrent { get; set; }

    /// <summary>Whether a <see cref="LoopGroup"/> makes it, and so closes it.</summary>
    internal bool IsInGroup { get; init; }
}
