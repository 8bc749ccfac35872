using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LoopBridge.Sockets;

/// <summary>No address of a host could be connected to. The inner exception is the last attempt's.</summary>
public sealed class ConnectFailedException : IOException
{
    internal ConnectFailedException(EndPoint endPoint, Exception cause)
        : this(endPoint.ToString()!, [new ConnectAttempt(endPoint, cause)])
    {
    }

    /// <param name="target">What was asked for: host and port, or an endpoint.</param>
    /// <param name="attempts">In the order they failed.</param>
    internal ConnectFailedException(string target, IReadOnlyList<ConnectAttempt> attempts)
        : base(Describe(target, attempts), attempts.Count > 0 ? attempts[^1].Error : null)
    {
        Attempts = attempts;
        EndPoint = attempts.Count > 0 ? attempts[^1].EndPoint : null;
        SocketErrorCode = attempts.Count == 0 ? SocketError.NoData
            : attempts[^1].Error is SocketException e ? e.SocketErrorCode
            : SocketError.SocketError;
    }

    /// <summary>What was tried last; null if there was no address to try.</summary>
    public EndPoint? EndPoint { get; }

    /// <summary>
    /// What the operating system said to the last attempt. <see cref="SocketError.SocketError"/> if it was not the system that failed,
    /// <see cref="SocketError.NoData"/> if there was no address to try.
    /// </summary>
    public SocketError SocketErrorCode { get; }

    /// <summary>All that was tried, in the order in which it failed.</summary>
    public IReadOnlyList<ConnectAttempt> Attempts { get; }

    private static string Describe(string target, IReadOnlyList<ConnectAttempt> attempts) => attempts switch
    {
        [] => $"Could not connect to {target}: it has no address.",
        [var only] when only.EndPoint.ToString() == target => $"Could not connect to {target}: {only.Error.Message}",
        _ => $"Could not connect to {target}. {ConnectAttempt.Describe(attempts)}",
    };
}

/// <summary>One address that could not be connected to.</summary>
/// <param name="EndPoint">The address and port.</param>
/// <param name="Error">Why not: a <see cref="SocketException"/> where the operating system said so.</param>
public sealed record ConnectAttempt(EndPoint EndPoint, Exception Error)
{
    // A name can have hundreds of addresses, and a message ends in logs.
    private const int MostShown = 8;

    internal static string Describe(IReadOnlyList<ConnectAttempt> attempts)
    {
        if (attempts.Count == 0)
        {
            return "No attempt had failed by then.";
        }

        var text = new StringBuilder("Tried");
        for (int i = 0; i < Math.Min(attempts.Count, MostShown); i++)
        {
            string before = i == 0 ? " " : "; ";
            text.Append(CultureInfo.InvariantCulture, $"{before}{attempts[i].EndPoint} ({attempts[i].Error.Message})");
        }

        return attempts.Count > MostShown
            ? text.Append(CultureInfo.InvariantCulture, $" and {attempts.Count - MostShown} more.").ToString()
            : text.Append('.').ToString();
    }
}
