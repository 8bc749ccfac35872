using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace LoopBridge.Benchmarks.Servers.Probing;

/// <summary>Asks a server's process about its memory; <see cref="StartupHook"/> answers there.</summary>
internal sealed class ServerProbe(string path)
{
    public const string PathVariable = "LOOPBRIDGE_BENCHMARK_PROBE";
    public const byte AskAllocated = (byte)'a';
    public const byte AskLive = (byte)'l';

    /// <summary>What a process needs to have the probe in it.</summary>
    /// <returns>The socket's path.</returns>
    public static string Prepare(IDictionary<string, string?> environment)
    {
        // Short, since a UNIX socket's path has a hundred bytes at most (unix(7)).
        string path = Path.Combine(Path.GetTempPath(), $"loopbridge-probe-{Guid.NewGuid():N}");
        environment["DOTNET_STARTUP_HOOKS"] = typeof(ServerProbe).Assembly.Location;
        environment[PathVariable] = path;
        return path;
    }

    /// <summary>Bytes it has allocated since it began, by all its threads.</summary>
    public Task<long> AllocatedAsync(CancellationToken stop) => AskAsync(AskAllocated, stop);

    /// <summary>Collects all that is dead, gives its memory back, and tells the bytes of all that lives.</summary>
    public Task<long> LiveAsync(CancellationToken stop) => AskAsync(AskLive, stop);

    private async Task<long> AskAsync(byte question, CancellationToken stop)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        byte[] answer = new byte[32];
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), stop).ConfigureAwait(false);
            await socket.SendAsync(new[] { question }, stop).ConfigureAwait(false);
            int length = await socket.ReceiveAsync(answer, stop).ConfigureAwait(false);
            return long.Parse(Encoding.ASCII.GetString(answer, 0, length), CultureInfo.InvariantCulture);
        }
        catch (SocketException e)
        {
            throw new MeasurementException($"The server's probe does not answer: {e.Message}");
        }
    }
}
