namespace LoopBridge.Sockets;

/// <summary>
/// Ids for connections that nobody else has given one: thirteen digits of base 32, counted up from the time of the start, so that they sort
/// by age.
/// </summary>
internal static class ConnectionIds
{
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

    private static long _last = DateTime.UtcNow.Ticks;

    internal static string Next() => string.Create(13, Interlocked.Increment(ref _last), static (text, id) =>
    {
        for (int i = text.Length - 1; i >= 0; i--)
        {
            text[i] = Digits[(int)(id & 31)];
            id >>= 5;
        }
    });
}
