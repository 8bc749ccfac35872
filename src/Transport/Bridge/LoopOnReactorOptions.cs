using LoopBridge.Loops;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Bridge;

/// <summary>How one <see cref="LoopOnReactor"/> is made.</summary>
public sealed class LoopOnReactorOptions
{
    /// <summary>The loop's name in logs. Defaults to <c>loop</c>.</summary>
    public string Name { get; set; } = "loop";

    /// <summary>Where exceptions go that escape the loop's callbacks. Defaults to none; the reactor's own log has no part in it.</summary>
    public ILogger? Logger { get; set; }

    /// <inheritdoc cref="EventLoopOptions.MakeCurrent"/>
    public bool? MakeCurrent { get; set; }

    /// <summary>
    /// Whether <see cref="LoopOnReactor.Start"/> has the reactor listen to SIGINT and SIGTERM while it runs, which shut the reactor down.
    /// Defaults to false, as on every loop: signals are the business of the program, or of a reactor that runs this loop.
    /// </summary>
    public bool InstallSignalHandlers { get; set; }

    /// <summary>Whether a <see cref="LoopGroup"/> has it, and so closes it; its reactor then turns on after its shutdown.</summary>
    internal bool IsInGroup { get; init; }
}
