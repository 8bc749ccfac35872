namespace LoopBridge.Benchmarks.Wrk;

/// <summary>What wrk asks for, and how.</summary>
internal sealed record WrkRequest(Uri Url)
{
    /// <summary>Of most scenarios.</summary>
    public const int CommonConnections = 64;

    public int Connections { get; init; } = CommonConnections;

    /// <summary>Requests on the way at once on each connection. Defaults to 1.</summary>
    public int Depth { get; init; } = 1;

    /// <summary>Whether each request has a connection of its own (<c>Connection: close</c>). Defaults to false.</summary>
    public bool OwnConnections { get; init; }

    /// <summary>Bytes that each request brings, as a POST. Defaults to 0, which is a GET.</summary>
    public int UploadBytes { get; init; }
}
