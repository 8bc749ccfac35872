using System.Net;
using System.Text;

namespace LoopBridge.Benchmarks.ClosedLoop;

/// <summary>
/// HTTP/1.1 connections that are kept alive and ask for the same short page. What wrk cannot do: connections that go on while something
/// else begins, or that stay when nothing more is asked.
/// </summary>
internal sealed class HttpConnections(IPEndPoint server, int count, string path) : ClosedLoopConnections(server, count, LongestResponse)
{
    /// <summary>Headers and all; the pages asked for here have some dozens of bytes.</summary>
    private const int LongestResponse = 1024;

    private readonly byte[] _request = Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {server}\r\n\r\n");

    protected override ReadOnlySpan<byte> Next(int index, ref State state) => _request;

    protected override Span<byte> Answer(int index) => Room(index);

    protected override ConnectionStep Check(int index, ReadOnlySpan<byte> answer, int received)
        => HttpResponse.Check(answer[..received], answer.Length);
}
