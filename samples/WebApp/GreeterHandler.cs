using System.Diagnostics;
using System.Text;
using LoopBridge;
using LoopBridge.Streams;

namespace WebApp;

/// <summary>Loop style: <c>async</c> code on a stream, all of it on the connection's loop.</summary>
internal sealed class GreeterHandler : ILoopHandler
{
    private const int LongestName = 256;

    public async Task HandleAsync(LoopStream stream, CancellationToken stopping)
    {
        long last = Stopwatch.GetTimestamp();
        while (true)
        {
            byte[] line = await stream.ReadUntilAsync("\n"u8.ToArray(), LongestName, stopping);
            TimeSpan since = Stopwatch.GetElapsedTime(last);
            last = Stopwatch.GetTimestamp();
            string name = Encoding.UTF8.GetString(line).TrimEnd('\r', '\n');
            await stream.WriteAsync(Encoding.UTF8.GetBytes($"Hello, {name}!\n{since.TotalSeconds:F3} s since the last line.\n"), stopping);
        }
    }
}
