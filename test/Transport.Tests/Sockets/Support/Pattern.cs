namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>
/// Bytes that tell their position, so that loss, repetition and disorder show wherever they happen. The period is prime to every block
/// size.
/// </summary>
internal static class Pattern
{
    private const int Period = 251;

    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 1 << 17).Select(i => (byte)(i % Period))];

    /// <summary>At most 64 KiB from a position.</summary>
    internal static ReadOnlyMemory<byte> At(long position, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, 1 << 16);
        return Bytes.AsMemory((int)(position % Period), length);
    }

    internal static bool Matches(long position, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int length = Math.Min(bytes.Length, 1 << 16);
            if (!bytes[..length].SequenceEqual(At(position, length).Span))
            {
                return false;
            }

            position += length;
            bytes = bytes[length..];
        }

        return true;
    }
}
