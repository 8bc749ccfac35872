namespace LoopBridge.Protocols;

/// <summary>
/// The system knows no service of that name. An error of the call, not of an attempt to connect. Descends from Twisted's
/// <c>ServiceNameUnknownError</c>.
/// </summary>
public sealed class ServiceNameUnknownException : ArgumentException
{
    // What is told of a name that somebody else may have chosen.
    private const int LongestShown = 64;

    internal ServiceNameUnknownException(string serviceName, string file, Exception? innerException = null)
        : base($"'{Shown(serviceName)}' is no TCP service in {file}: name one that is there, or give the port's number.", innerException)
        => ServiceName = serviceName;

    /// <summary>The name that was asked for.</summary>
    public string ServiceName { get; }

    private static string Shown(string name) => name.Length <= LongestShown ? name : string.Concat(name.AsSpan(0, LongestShown), "…");
}
