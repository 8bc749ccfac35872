namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>Takes this process's descriptors away. Linux.</summary>
internal static class Descriptors
{
    // Enough for listeners to keep back as many as they ever do.
    private const int LeastLimit = 1024;

    // Fewer than listeners keep back. Not none: the runtime ends the process where a thread cannot be started for want of a pipe.
    private const int Left = 16;

    /// <summary>
    /// Leaves fewer than listeners leave to the process, until disposed of. So the next connection is the last one that they accept.
    /// </summary>
    internal static IDisposable LeaveFew()
    {
        Assert.Equal(0, LibCalls.GetLimit(LibCalls.LimitOfFiles, out LibCalls.Limit before));
        int highest = Directory.EnumerateFileSystemEntries("/proc/self/fd").Max(path => int.Parse(Path.GetFileName(path), null));
        int limit = Math.Max(highest + (2 * Left), LeastLimit);
        Assert.Equal(0, LibCalls.SetLimit(LibCalls.LimitOfFiles, before with { Soft = (ulong)limit }));

        // The lowest number that is free is given: all below it are in use.
        var duplicates = new List<int>();
        do
        {
            duplicates.Add(LibCalls.Duplicate(0));
        }
        while (duplicates[^1] >= 0 && duplicates[^1] < limit - Left - 1);
        return new Restore(before, duplicates);
    }

    private sealed class Restore(LibCalls.Limit before, List<int> duplicates) : IDisposable
    {
        public void Dispose()
        {
            duplicates.ForEach(duplicate => LibCalls.Close(duplicate));
            Assert.Equal(0, LibCalls.SetLimit(LibCalls.LimitOfFiles, before));
        }
    }
}
