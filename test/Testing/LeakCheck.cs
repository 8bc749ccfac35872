using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Xunit;

namespace LoopBridge.Testing;

/// <summary>
/// Remembers which descriptors this process has open and, at the end, waits until no others are. Counts what our code opens (sockets,
/// pipes, event and poll descriptors); files that the runtime maps are none of it. Linux only: elsewhere it finds nothing.
/// </summary>
/// <remarks>
/// Sees the whole process, so its tests belong to a collection that disables parallelization. Warm up what is measured by one round before.
/// </remarks>
public sealed class LeakCheck
{
    private readonly HashSet<string> _before = [.. Open()];

    static LeakCheck()
    {
        // .NET opens an epoll descriptor for its sockets with the first operation that waits, and keeps it.
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Task<int> receive = socket.ReceiveAsync(new byte[1]);
        socket.SendTo(new byte[1], socket.LocalEndPoint!);
        receive.WithDeadline().GetAwaiter().GetResult();

        // So it does with the pipe of its signal handling.
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, static _ => { }).Dispose();
    }

    public static LeakCheck Begin() => new();

    /// <summary>How many descriptors of the counted kinds are open now.</summary>
    public static int Count => Open().Count;

    /// <summary>Fails with the list of what is left, if it does not go away.</summary>
    /// <param name="patience">How long what is left may take to go. Defaults to the one deadline.</param>
    public void Verify(TimeSpan? patience = null)
    {
        List<string> left = [];
        bool clean = SpinWait.SpinUntil(() => (left = [.. Open().Where(entry => !_before.Contains(entry))]).Count == 0, patience ?? Deadline.Default);
        Assert.True(clean, $"Descriptors left behind: {string.Join(", ", left)}");
    }

    /// <summary>Number and link target of each counted descriptor; a socket's names its inode, which tells a reused number.</summary>
    public static IReadOnlyList<string> Open()
    {
        var open = new List<string>();
        if (!OperatingSystem.IsLinux())
        {
            return open;
        }

        // .NET's console duplicates the standard descriptors when it is first used, and a runner's are pipes.
        HashSet<string?> standard = [.. Enumerable.Range(0, 3).Select(number => TargetOf($"/proc/self/fd/{number}"))];
        foreach (string path in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            if (TargetOf(path) is { } target && !standard.Contains(target) && (target.StartsWith("socket:", StringComparison.Ordinal)
                || target.StartsWith("pipe:", StringComparison.Ordinal) || target.StartsWith("anon_inode:", StringComparison.Ordinal)))
            {
                open.Add($"{Path.GetFileName(path)} {target}");
            }
        }

        return open;
    }

    private static string? TargetOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (IOException)
        {
            return null; // closed between listing and asking, as the listing's own descriptor always is
        }
    }
}
