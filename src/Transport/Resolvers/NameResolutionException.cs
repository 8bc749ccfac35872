using System.Globalization;
using System.Net;
using System.Text;

namespace LoopBridge.Resolvers;

/// <summary>A name could not be resolved. The one exception for it, whatever the resolver; an I/O error like a connection's.</summary>
public sealed class NameResolutionException : IOException
{
    // Longer than any host name that somebody would want to read in a log, shorter than what a stranger can make us log.
    private const int LongestShown = 255;

    /// <summary>Makes an exception; for those who write a resolver of their own.</summary>
    /// <param name="reason">What went wrong.</param>
    /// <param name="hostName">The name as the caller asked for it.</param>
    /// <param name="isTransient">Whether the same call may succeed later.</param>
    /// <param name="servers">The servers that were asked, in order; null or empty if none was, or nobody tells.</param>
    /// <param name="innerException">What the operating system said, if it said anything.</param>
    public NameResolutionException(
        NameResolutionFailure reason,
        string hostName,
        bool isTransient = false,
        IReadOnlyList<IPEndPoint>? servers = null,
        Exception? innerException = null)
        : base(Describe(reason, hostName), innerException)
    {
        Reason = reason;
        HostName = hostName;
        IsTransient = isTransient;
        Servers = servers ?? [];
    }

    /// <summary>What went wrong.</summary>
    public NameResolutionFailure Reason { get; }

    /// <summary>The name as the caller asked for it: not trimmed, mapped or completed, and not safe to print.</summary>
    public string HostName { get; }

    /// <summary>Whether the same call may succeed later without anybody changing a name or a setting.</summary>
    public bool IsTransient { get; }

    /// <summary>The servers that were asked, in order. Empty where none was, and where the operating system asked.</summary>
    public IReadOnlyList<IPEndPoint> Servers { get; }

    private static string Describe(NameResolutionFailure reason, string hostName)
    {
        ArgumentNullException.ThrowIfNull(hostName);
        string why = reason switch
        {
            NameResolutionFailure.InvalidName => "it is neither a host name nor an IP address",
            NameResolutionFailure.NotFound => "there is no such host",
            NameResolutionFailure.NoAddress => "the host has no address of the family asked for",
            NameResolutionFailure.ServerFailure => "the name service failed",
            NameResolutionFailure.Refused => "the name servers refused to answer",
            NameResolutionFailure.Timeout => "no answer came in time",
            NameResolutionFailure.Malformed => "the name servers' answers make no sense",
            NameResolutionFailure.NoServers => "there is no name server to ask",
            NameResolutionFailure.Busy => "there is no room for another lookup",
            _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "Not a reason."),
        };
        return $"Cannot resolve '{Printable(hostName)}': {why}.";
    }

    // A message ends in logs; a name from outside must not write lines of its own there.
    private static string Printable(string name)
    {
        StringBuilder text = new(Math.Min(name.Length, LongestShown) + 3);
        foreach (char c in name.AsSpan(0, Math.Min(name.Length, LongestShown)))
        {
            if (c is >= ' ' and <= '~' || char.IsLetterOrDigit(c))
                text.Append(c);
            else
                text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }

        return name.Length > LongestShown ? text.Append("...").ToString() : text.ToString();
    }
}
