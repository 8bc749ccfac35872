using System.Text;

namespace LoopBridge.Transport.Tests.Streams;

internal static class StreamTestData
{
    internal static readonly byte[] NewLine = "\n"u8.ToArray();

    internal static readonly byte[] BlankLine = "\r\n\r\n"u8.ToArray();

    internal static string Text(this byte[] bytes) => Encoding.ASCII.GetString(bytes);

    internal static byte[] Bytes(this string text) => Encoding.ASCII.GetBytes(text);

    /// <summary>The same noise each time, so that a wrong order shows.</summary>
    internal static byte[] Noise(int length)
    {
        byte[] noise = new byte[length];
        new Random(length).NextBytes(noise);
        return noise;
    }
}
