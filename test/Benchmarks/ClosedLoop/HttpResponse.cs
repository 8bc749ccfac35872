using System.Buffers.Text;

namespace LoopBridge.Benchmarks.ClosedLoop;

/// <summary>
/// Finds the end of a response (RFC 9112, section 6) as far as Kestrel's answers to a GET go: by its length, or by its last chunk.
/// </summary>
internal static class HttpResponse
{
    public static ConnectionStep Check(ReadOnlySpan<byte> received, int room)
    {
        int headers = received.IndexOf("\r\n\r\n"u8) + 4;
        if (headers < 4)
            return received.Length < room ? ConnectionStep.Partial : ConnectionStep.Lost;
        if (!received.StartsWith("HTTP/1.1 200"u8))
            return ConnectionStep.Wrong;

        int length = LengthOf(received[..headers]);
        bool isWhole = length >= 0 ? received.Length >= headers + length : received.EndsWith("\r\n0\r\n\r\n"u8);
        return isWhole ? ConnectionStep.Whole : received.Length < room ? ConnectionStep.Partial : ConnectionStep.Lost;
    }

    /// <summary>What Content-Length says; negative without one.</summary>
    private static int LengthOf(ReadOnlySpan<byte> headers)
    {
        ReadOnlySpan<byte> name = "\r\nContent-Length: "u8;
        int at = headers.IndexOf(name);
        return at >= 0 && Utf8Parser.TryParse(headers[(at + name.Length)..], out int length, out _) ? length : -1;
    }
}
