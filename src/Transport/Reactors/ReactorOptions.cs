using LoopBridge.Loops;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Reactors;

/// <summary>How one <see cref="Reactor"/> is made.</summary>
public sealed class ReactorOptions
{
    /// <summary>The reactor's name in logs. Defaults to <c>reactor</c>.</summary>
    public string Name { get; set; } = "reactor";

    /// <summary>The mechanism underneath. Defaults to <see cref="LoopDriver.Auto"/>.</summary>
    public LoopDriver Driver { get; set; } = LoopDriver.Auto;

    /// <summary>The clock. Defaults to <see cref="TimeProvider.System"/>; only its monotonic half is used.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Where exceptions go that escape callbacks. Defaults to none.</summary>
    public ILogger? Logger { get; set; }

    /// <summary>Whether a <see cref="LoopGroup"/> has it, and so turns and closes it.</summary>
    internal bool IsInGroup { get; init; }
}
