using System.Diagnostics;
using System.IO.Pipes;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>
/// Makes the runtime open, once, the descriptors that it keeps for itself: its own poller for asynchronous sockets and pipes, and the pipe
/// of its signal handling. A leak check would take them for the test's.
/// </summary>
internal static class RuntimeWarmUp
{
    private static readonly Lazy<bool> Done = new(Touch);

    internal static void Run() => _ = Done.Value;

    private static bool Touch()
    {
        using var reader = new AnonymousPipeServerStream(PipeDirection.In);
        using var writer = new AnonymousPipeClientStream(PipeDirection.Out, reader.ClientSafePipeHandle);
        Task<int> read = reader.ReadAsync(new byte[1]).AsTask();
        writer.WriteByte(1);
        read.Wait();
        if (OperatingSystem.IsLinux())
        {
            using Process process = Process.Start("/bin/true");
            process.WaitForExit();
        }

        return true;
    }
}
