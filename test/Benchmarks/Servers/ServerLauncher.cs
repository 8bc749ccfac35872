namespace LoopBridge.Benchmarks.Servers;

/// <summary>Starts a server and waits until it listens.</summary>
internal static class ServerLauncher
{
    /// <summary>Another process may take a port between our letting it go and the server's binding it. Twice is no accident.</summary>
    private const int Attempts = 2;

    public static async Task<ServerProcess> StartAsync(
        ServerApp app, Variant variant, string endpoint, CancellationToken stop, bool withProbe = false)
    {
        for (int attempt = 1; ; attempt++)
        {
            ServerProcess server = ServerProcess.Start(app, variant, withProbe);
            try
            {
                await Readiness.WaitAsync(server, endpoint, stop).ConfigureAwait(false);
                return server;
            }
            catch (BenchmarkException) when (attempt < Attempts && LostItsPort(server))
            {
                // Someone was faster; other ports, once more.
                await server.DisposeAsync().ConfigureAwait(false);
            }
            catch
            {
                // Not ours to explain, but the child must not outlive us.
                await server.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    private static bool LostItsPort(ServerProcess server) => server.Output.Contains("address already in use", StringComparison.Ordinal);
}
