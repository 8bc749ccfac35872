namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>Takes this process's descriptors away. Linux.</summary>
internal static class Descriptors
{
    /// <summary>
    /// Leaves none until disposed of: the soft limit comes down to little more than what is open, and duplicates take the rest.
    /// </summary>
    internal static IDisposable UseUp()
    {
        Assert.Equal(0, LibCalls.GetLimit(LibCalls.LimitOfFiles, out LibCalls.Limit before));
        int highest = Directory.EnumerateFileSystemEntries("/proc/self/fd").Max(path => int.Parse(Path.GetFileName(path), null));
        Assert.Equal(0, LibCalls.SetLimit(LibCalls.LimitOfFiles, before with { Soft = (ulong)highest + 20 }));
        var duplicates = new List<int>();
        int duplicate;
        while ((duplicate = LibCalls.Duplicate(0)) >= 0)
        {
            duplicates.Add(duplicate);
        }

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
