namespace LoopBridge.Transport.Tests.Streams;

/// <summary>What a stream under test runs over.</summary>
public enum LinkKind
{
    /// <summary>A loopback socket.</summary>
    Socket,

    /// <summary>A pair of pipes, as behind TLS.</summary>
    Pipe,

    /// <summary>TLS over a loopback socket, as the server; the peer is the framework's own TLS.</summary>
    Tls,
}
