using System.Buffers;
using System.Globalization;
using System.Net;

namespace LoopBridge.Protocols;

/// <summary>
/// The names of well-known ports, from the file that the system keeps them in (services(5)). Descends from <c>getservbyname</c>, without
/// the other sources that a C library may be told to ask.
/// </summary>
internal static class ServiceNames
{
    // Debian's has 13 kB, the whole list of IANA about 1 MB.
    private const int LargestFile = 4 * 1024 * 1024;

    private static readonly SearchValues<char> Blank = SearchValues.Create(" \t");

    private static string File => OperatingSystem.IsWindows()
        ? Path.Combine(Environment.SystemDirectory, "drivers", "etc", "services")
        : "/etc/services";

    /// <summary>The TCP port of a service. Reads the file, each time.</summary>
    /// <exception cref="ServiceNameUnknownException">The file does not name it, or cannot be read.</exception>
    internal static int TcpPortOf(string service) => PortOf(service, "tcp", File);

    /// <summary>As <see cref="TcpPortOf"/>, for any protocol and file.</summary>
    internal static int PortOf(string service, string protocol, string file)
    {
        string text;
        try
        {
            using var reader = new StreamReader(file);
            if (reader.BaseStream.Length > LargestFile)
            {
                throw new InvalidDataException($"The file is larger than {LargestFile} bytes.");
            }

            text = reader.ReadToEnd();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new ServiceNameUnknownException(service, file, e); // no file, no names: the caller asked for one
        }

        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            if (TryMatch(line, service, protocol, out int port))
            {
                return port;
            }
        }

        throw new ServiceNameUnknownException(service, file);
    }

    // "name  port/protocol  alias alias  # comment". Lines that look otherwise are passed over, as the C library does.
    private static bool TryMatch(ReadOnlySpan<char> line, string service, string protocol, out int port)
    {
        port = 0;
        int comment = line.IndexOf('#');
        line = comment < 0 ? line : line[..comment];
        ReadOnlySpan<char> name = TakeWord(ref line);
        ReadOnlySpan<char> where = TakeWord(ref line);
        int slash = where.IndexOf('/');
        if (slash < 0
            || !where[(slash + 1)..].SequenceEqual(protocol)
            || !int.TryParse(where[..slash], NumberStyles.None, CultureInfo.InvariantCulture, out port)
            || port > IPEndPoint.MaxPort)
        {
            return false;
        }

        while (!name.IsEmpty)
        {
            if (name.SequenceEqual(service))
            {
                return true;
            }

            name = TakeWord(ref line);
        }

        return false;
    }

    private static ReadOnlySpan<char> TakeWord(ref ReadOnlySpan<char> line)
    {
        int start = line.IndexOfAnyExcept(Blank);
        if (start < 0)
        {
            line = default;
            return default;
        }

        line = line[start..];
        int end = line.IndexOfAny(Blank);
        ReadOnlySpan<char> word = end < 0 ? line : line[..end];
        line = line[word.Length..];
        return word;
    }
}
