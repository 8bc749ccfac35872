using System.Net.Sockets;
using System.Text;
using LoopBridge.Benchmarks.Servers.Probing;

/// <summary>
/// Runs in the server's process before its Main, by the runtime's own way in (DOTNET_STARTUP_HOOKS; the name and the missing namespace are
/// its rule): a thread that waits on a UNIX socket and answers <see cref="ServerProbe"/>. Both sides have it alike, and nothing of it runs
/// while nobody asks. Uses the base library only, since the server's process need not find anything else.
/// </summary>
internal static class StartupHook
{
    public static void Initialize()
    {
        string path = Environment.GetEnvironmentVariable(ServerProbe.PathVariable)!;
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        new Thread(() => Serve(listener)) { IsBackground = true, Name = "benchmark probe" }.Start();
    }

    private static void Serve(Socket listener)
    {
        byte[] question = new byte[1];
        while (true)
        {
            using Socket asker = listener.Accept();
            if (asker.Receive(question) == 1)
                asker.Send(Encoding.ASCII.GetBytes(FormattableString.Invariant($"{Answer(question[0])}")));
        }
    }

    private static long Answer(byte question) => question switch
    {
        ServerProbe.AskAllocated => GC.GetTotalAllocatedBytes(precise: true),
        ServerProbe.AskLive => Live(),
        _ => -1,
    };

    // Twice, for what the first frees only after its finalizer has run. Aggressive: what is free goes back to the kernel, so that what
    // stays resident is what lives.
    private static long Live()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return GC.GetTotalMemory(forceFullCollection: false);
    }
}
