using System.Globalization;
using System.Text;

namespace LoopBridge.Resolvers;

/// <summary>The one check of names for all resolvers (D-05 to D-09), done before anything is asked.</summary>
internal static class HostName
{
    // RFC 1035 section 2.3.4: 255 octets on the wire, which are 253 characters, and 63 octets in a label.
    private const int LongestName = 253;
    private const int LongestLabel = 63;

    // IDNA composes and drops characters, so a name may be longer before it; this much is beyond all scripts and cheap to map.
    private const int LongestUnmapped = 1024;

    private static readonly IdnMapping Idna = new();

    /// <summary>
    /// Gives the name as it is asked for: ASCII, lower case (DNS knows no other, RFC 4343), with its final dot if it had one. False if it
    /// is no host name, or if it is a number in disguise.
    /// </summary>
    public static bool TryNormalize(string host, out string name)
    {
        name = host;
        if (!Ascii.IsValid(host) && !TryMap(host, out name))
            return false;
        name = name.ToLowerInvariant();
        ReadOnlySpan<char> labels = WithoutFinalDot(name);
        return labels.Length <= LongestName && AreLabels(labels) && !EndsInNumber(labels);
    }

    /// <summary>Whether a normalized name is <paramref name="domain"/> or below it.</summary>
    public static bool IsWithin(string name, string domain)
    {
        ReadOnlySpan<char> labels = WithoutFinalDot(name);
        return labels.EndsWith(domain, StringComparison.Ordinal)
            && (labels.Length == domain.Length || labels[labels.Length - domain.Length - 1] == '.');
    }

    private static ReadOnlySpan<char> WithoutFinalDot(string name) => name.EndsWith('.') ? name.AsSpan(0, name.Length - 1) : name;

    private static bool TryMap(string host, out string name)
    {
        name = host;
        if (host.Length > LongestUnmapped)
            return false;
        try
        {
            name = Idna.GetAscii(host);
            return true;
        }
        catch (ArgumentException)
        {
            return false; // expected: how it says that there is no mapping
        }
    }

    // Stricter than DNS, which takes any octet: these names go to shells, logs and C libraries. The underscore is for _sip._tcp and Docker.
    private static bool AreLabels(ReadOnlySpan<char> labels)
    {
        int length = 0;
        foreach (char c in labels)
        {
            if (c == '.')
            {
                if (length == 0)
                    return false;
                length = 0;
                continue;
            }

            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
                return false;
            if (++length > LongestLabel)
                return false;
        }

        return length > 0;
    }

    /// <summary>
    /// The URL Standard's "ends in a number" check: a name whose last label is a decimal or 0x number is what somebody's inet_aton reads
    /// as an IPv4 address (<c>127.1</c>, <c>0x7f000001</c>, <c>1.2.3.4.</c>). No top-level domain looks like that (RFC 3696 section 2).
    /// It runs after IDNA, which turns full-width digits into plain ones.
    /// </summary>
    private static bool EndsInNumber(ReadOnlySpan<char> labels)
    {
        ReadOnlySpan<char> last = labels[(labels.LastIndexOf('.') + 1)..];
        if (!last.StartsWith("0x"))
            return !last.ContainsAnyExceptInRange('0', '9');
        foreach (char c in last[2..])
        {
            if (!char.IsAsciiHexDigit(c))
                return false;
        }

        return true;
    }
}
