using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using LoopBridge.Resolvers;
using LoopBridge.Testing;

namespace LoopBridge.Resolver.Tests.Threaded;

/// <summary>
/// A system lookup that hangs until told otherwise, as a silent name server makes getaddrinfo hang, but without the ten seconds. The
/// resolver around it, its threads and its line are the real ones; the real hang is in <c>Etc/SilentServerTests</c>.
/// </summary>
internal sealed class ScriptedLookup : IDisposable
{
    private readonly SemaphoreSlim _started = new(0);
    private readonly SemaphoreSlim _released = new(0);

    public ConcurrentQueue<LookupKey> Asked { get; } = [];

    public ConcurrentQueue<Thread> Threads { get; } = [];

    public LookupOutcome Answer { get; set; } = LookupOutcome.Found([IPAddress.Parse("192.0.2.1")], AddressFamily.Unspecified);

    public LookupOutcome LookUp(string name, AddressFamily family)
    {
        Asked.Enqueue(new(name, family));
        Threads.Enqueue(Thread.CurrentThread);
        _started.Release();
        Assert.True(_released.Wait(Deadline.Default));
        return Answer;
    }

    /// <summary>Ends when that many more lookups have begun.</summary>
    public async Task StartedAsync(int count = 1)
    {
        for (int i = 0; i < count; i++)
            Assert.True(await _started.WaitAsync(Deadline.Default, TestContext.Current.CancellationToken));
    }

    public void Release(int count = 1) => _released.Release(count);

    public void Dispose() => _released.Release(1000); // whatever still hangs, at the end of a test that failed
}
