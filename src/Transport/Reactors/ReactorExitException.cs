namespace LoopBridge.Reactors;

/// <summary>
/// Thrown by a main function to end with an exit code of its own; see <see cref="ReactorMain"/>. Twisted code raises <c>SystemExit</c>.
/// </summary>
/// <param name="exitCode">The exit code.</param>
public sealed class ReactorExitException(int exitCode) : Exception($"The main function asked to exit with code {exitCode}.")
{
    /// <summary>The exit code.</summary>
    public int ExitCode { get; } = exitCode;
}
