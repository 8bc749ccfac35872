namespace LoopBridge.Transport.Tests.Streams;

/// <summary>What a stream under test runs over.</summary>
public enum LinkKind
{
    /// <summary>A loopback socket on the epoll driver.</summary>
    Epoll,

    /// <summary>A loopback socket on the managed driver.</summary>
    Managed,

    /// <summary>A pair of pipes, as behind TLS.</summary>
    Pipe,
}
