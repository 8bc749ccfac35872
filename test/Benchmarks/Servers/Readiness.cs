using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Benchmarks.Servers;

/// <summary>Waits until a server accepts connections: asked by connecting, not guessed by sleeping.</summary>
internal static class Readiness
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    /// <summary>Between two attempts. A refused connect returns at once: asking without pause would slow the start it waits for.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public static async Task WaitAsync(ServerProcess server, string endpoint, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Deadline);
        try
        {
            while (!await AcceptsAsync(server.Ports[endpoint], deadline.Token).ConfigureAwait(false))
            {
                if (server.HasExited)
                    await ThrowEndedAsync(server, deadline.Token).ConfigureAwait(false);
                await Task.Delay(Pause, deadline.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new BenchmarkException(
                $"The server did not listen on endpoint {endpoint} ({server.Ports[endpoint]}) within {Deadline.TotalSeconds} s." +
                $" It printed:\n{server.Output}");
        }
    }

    private static async Task ThrowEndedAsync(ServerProcess server, CancellationToken stop)
    {
        // Its last words may still be in the pipe.
        await server.WaitForEndAsync(stop).ConfigureAwait(false);
        throw new BenchmarkException($"The server ended before it listened. It printed:\n{server.Output}");
    }

    private static async Task<bool> AcceptsAsync(IPEndPoint address, CancellationToken stop)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(address, stop).ConfigureAwait(false);

            // With nobody listening on a port of the ephemeral range, the kernel may give us that very port as ours, and
            // TCP's simultaneous open then connects the socket to itself (RFC 9293 section 3.5).
            return !address.Equals(socket.LocalEndPoint);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused or SocketError.ConnectionReset)
        {
            // Not yet: that is the question we ask.
            return false;
        }
    }
}
