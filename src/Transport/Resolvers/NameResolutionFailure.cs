namespace LoopBridge.Resolvers;

/// <summary>Why a name did not resolve; the reason of a <see cref="NameResolutionException"/>.</summary>
public enum NameResolutionFailure
{
    /// <summary>It is neither a host name nor an IP address in its one accepted form. Nobody was asked.</summary>
    InvalidName,

    /// <summary>There is no such name (NXDOMAIN).</summary>
    NotFound,

    /// <summary>The name exists, but has no address, or none of the family asked for (NODATA).</summary>
    NoAddress,

    /// <summary>The servers, or the operating system, could not find out (SERVFAIL).</summary>
    ServerFailure,

    /// <summary>The servers refused to answer (REFUSED).</summary>
    Refused,

    /// <summary>No answer came within <see cref="ResolverOptions.Timeout"/>.</summary>
    Timeout,

    /// <summary>The servers' answers could not be understood.</summary>
    Malformed,

    /// <summary>No server is configured, or none can be reached.</summary>
    NoServers,

    /// <summary>Too many callers wait already, or the machine is out of a resource; nobody was asked.</summary>
    Busy,
}
