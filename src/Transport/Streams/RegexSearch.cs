using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using LoopBridge.Loops;

namespace LoopBridge.Streams;

/// <summary>
/// Looks for the match that ends a read. No regex engine goes on where it stopped, so each search begins at the start, and what is rationed
/// is how often: the sum of all searches stays proportional to what has arrived and to the time that it took.
/// </summary>
internal sealed class RegexSearch(Regex regex, IEventLoop loop)
{
    // A search of less costs as much as the receive that brought the bytes: not worth any ration.
    private const int Small = 16 * 1024;

    // So many times as long as a search took it waits for the next one: a fifth of the loop's time at most.
    private const int RestsFor = 4;

    private int _searched;
    private TimeSpan _restUntil;

    /// <summary>Set when the regex was stopped by its own time limit.</summary>
    internal RegexMatchTimeoutException? TimeOut { get; private set; }

    /// <summary>How long until what was left unsearched may be searched; null if nothing was.</summary>
    internal TimeSpan? Rest { get; private set; }

    /// <summary>Where the first match ends; -1 if there is none yet, or if it is too early to look again.</summary>
    internal int FindEnd(ReadOnlySpan<byte> bytes, bool isQuiet, bool mustDecide)
    {
        Rest = null;
        if (bytes.Length == _searched)
        {
            return -1; // nothing new
        }

        if (!mustDecide && bytes.Length / 2 < _searched)
        {
            if (!isQuiet)
            {
                return -1;
            }

            TimeSpan rest = _restUntil - loop.Time;
            if (rest > TimeSpan.Zero)
            {
                Rest = rest;
                return -1;
            }
        }

        TimeSpan start = loop.Time; // the clock that the rest ends by, which a test may have stopped
        int end = Match(bytes);
        _searched = bytes.Length;
        TimeSpan now = loop.Time;
        _restUntil = bytes.Length <= Small ? now : now + (RestsFor * (now - start));
        return end;
    }

    private int Match(ReadOnlySpan<byte> bytes)
    {
        char[] rented = ArrayPool<char>.Shared.Rent(bytes.Length);
        try
        {
            Encoding.Latin1.GetChars(bytes, rented);
            foreach (ValueMatch match in regex.EnumerateMatches(rented.AsSpan(0, bytes.Length)))
            {
                return match.Index + match.Length;
            }

            return -1;
        }
        catch (RegexMatchTimeoutException e)
        {
            TimeOut = e; // hostile input, or a pattern that invites it: the end of the stream, with the reason
            return -1;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(rented);
        }
    }
}
