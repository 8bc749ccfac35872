using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace LoopBridge.Resolvers;

/// <summary>
/// The one parser of IP addresses for all resolvers. <see cref="IPAddress"/>'s own, and every C library's, also takes <c>127.1</c>,
/// <c>0x7f.1</c>, <c>0177.0.0.1</c>, <c>2130706433</c> and <c>[::1]</c>; they disagree on what these mean, and a filter that reads an
/// address otherwise than the connect behind it is no filter. Here an address has one form per family.
/// </summary>
public static class IPLiteral
{
    // RFC 4291: eight groups of 16 bits.
    private const int Groups = 8;

    // An interface name has up to 15 characters on Linux; other systems are more generous, none is boundless.
    private const int LongestZone = 64;

    /// <summary>Whether a text is an IPv4 or IPv6 address, and nothing more. Tornado: <c>is_valid_ip</c>. Any thread.</summary>
    /// <param name="text">The text; null and empty are none.</param>
    public static bool IsValid([NotNullWhen(true)] string? text) => TryParse(text, out _);

    /// <summary>Reads an address. Any thread.</summary>
    /// <param name="text">
    /// Four decimal parts without leading zeros, or the text forms of RFC 4291, with a scope behind <c>%</c> if there is one: a number, or
    /// the name of an interface of this machine.
    /// </param>
    /// <param name="address">The address; <see cref="IPAddress.None"/> if there is none.</param>
    /// <returns>Whether the whole text is an address.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out IPAddress address)
    {
        if (text is null)
        {
            address = IPAddress.None;
            return false;
        }

        Span<byte> bytes = stackalloc byte[Groups * 2];
        if (TryParseV4(text, bytes))
        {
            address = new IPAddress(bytes[..4]);
            return true;
        }

        int percent = text.IndexOf('%', StringComparison.Ordinal);
        if (TryParseV6(percent < 0 ? text : text.AsSpan(0, percent), bytes))
        {
            address = new IPAddress(bytes);
            if (percent < 0 || TrySetZone(address, text.AsSpan(percent + 1)))
            {
                return true;
            }
        }

        address = IPAddress.None;
        return false;
    }

    // 192.0.2.1: four parts, 0 to 255, decimal, no leading zero (some read one as octal).
    private static bool TryParseV4(ReadOnlySpan<char> text, Span<byte> bytes)
    {
        int part = 0, digits = 0, value = 0;
        foreach (char c in text)
        {
            if (c == '.')
            {
                if (digits == 0 || part == 3)
                    return false;
                bytes[part++] = (byte)value;
                digits = value = 0;
                continue;
            }

            if (!char.IsAsciiDigit(c) || (digits > 0 && value == 0))
                return false;
            digits++;
            value = value * 10 + (c - '0');
            if (value > 255)
                return false;
        }

        if (part != 3 || digits == 0)
            return false;
        bytes[part] = (byte)value;
        return true;
    }

    // RFC 4291 section 2.2: 2001:db8:0:0:8:800:200c:417a, 2001:db8::8:800:200c:417a, ::ffff:192.0.2.1
    private static bool TryParseV6(ReadOnlySpan<char> text, Span<byte> bytes)
    {
        bytes.Clear();
        int count = 0, gap = -1, at = 0;
        if (text.StartsWith("::"))
        {
            gap = 0;
            at = 2;
        }

        while (at < text.Length)
        {
            if (count == Groups)
                return false;
            ReadOnlySpan<char> group = text[at..];
            int colon = group.IndexOf(':');
            if (colon >= 0)
                group = group[..colon];
            else if (group.Contains('.'))
            {
                if (count > Groups - 2 || !TryParseV4(group, bytes.Slice(count * 2, 4)))
                    return false;
                count += 2;
                break;
            }

            if (!TryParseGroup(group, out ushort value))
                return false;
            BinaryPrimitives.WriteUInt16BigEndian(bytes[(count++ * 2)..], value);
            if (colon < 0)
                break;

            at += colon + 1;
            if (at == text.Length)
                return false; // a single colon at the end
            if (text[at] != ':')
                continue;
            if (gap >= 0)
                return false; // a second gap
            gap = count;
            at++;
        }

        if (gap < 0)
            return count == Groups;
        if (count == Groups)
            return false; // the gap stands for one group or more

        Span<byte> tail = bytes[(gap * 2)..(count * 2)];
        Span<byte> end = bytes[^tail.Length..];
        tail.CopyTo(end);
        bytes[(gap * 2)..^tail.Length].Clear();
        return true;
    }

    // One to four hex digits. Not by ushort.TryParse alone, which passes over NULs at the end.
    private static bool TryParseGroup(ReadOnlySpan<char> group, out ushort value)
    {
        value = 0;
        if (group.Length is 0 or > 4)
            return false;
        foreach (char c in group)
        {
            if (!char.IsAsciiHexDigit(c))
                return false;
        }

        return ushort.TryParse(group, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    // RFC 4007 section 11: the zone is a number or an interface's name. The name is looked up in a table of the kernel; that does not
    // block.
    private static bool TrySetZone(IPAddress address, ReadOnlySpan<char> zone)
    {
        if (zone.Length is 0 or > LongestZone)
            return false;
        if (!zone.ContainsAnyExceptInRange('0', '9'))
        {
            bool fits = uint.TryParse(zone, NumberStyles.None, CultureInfo.InvariantCulture, out uint number);
            if (fits)
                address.ScopeId = number;
            return fits;
        }

        foreach (char c in zone)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-'))
                return false;
        }

        // An interface that is not there is read as zone 0, "any": not what was asked for.
        if (!IPAddress.TryParse($"fe80::1%{zone}", out IPAddress? known) || known.ScopeId == 0)
            return false;
        address.ScopeId = known.ScopeId;
        return true;
    }
}
