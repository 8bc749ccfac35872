using LoopBridge.Resolvers;
using LoopBridge.Testing;

namespace LoopBridge.Resolver.Tests.Threaded;

public class DisposeTests : ThreadedResolverTest
{
    [Fact]
    [Contract("D-17")]
    [Contract("D-28")]
    public async Task Dispose_WithStuckAndQueuedLookups_FailsThemWithoutWaiting()
    {
        ThreadedResolver resolver = Create(new() { MaxThreads = 1, Timeout = Deadline.Default });
        Task<NameResolution> stuck = resolver.ResolveAsync("stuck.example", 80, cancellationToken: TestToken).AsTask();
        await Lookup.StartedAsync();
        Task<NameResolution> queued = resolver.ResolveAsync("queued.example", 80, cancellationToken: TestToken).AsTask();

        resolver.Dispose();
        resolver.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => stuck.WithDeadline());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => queued.WithDeadline());
        Assert.Equal(1, resolver.Threads.Count); // the system has not answered yet, and nobody waited for it
        Lookup.Release();
        await Ended(Assert.Single(Lookup.Threads));
        Assert.Equal(0, resolver.Threads.Count);
        Assert.Single(Lookup.Asked);
    }

    [Fact]
    [Contract("D-17")]
    [Contract("L-RES-05")]
    public async Task Resolve_AfterDispose_Throws()
    {
        ThreadedResolver resolver = Create();
        resolver.Dispose();

        foreach (string host in new[] { "late.example", "127.0.0.1" })
        {
            await Assert.ThrowsAsync<ObjectDisposedException>(
                () => resolver.ResolveAsync(host, 80, cancellationToken: TestToken).WithDeadline());
        }
    }

    [Fact]
    [Contract("D-17")]
    public async Task Dispose_WithIdleThreads_EndsThem()
    {
        ThreadedResolver resolver = Create();
        Lookup.Release();
        await resolver.ResolveAsync("once.example", 80, cancellationToken: TestToken).WithDeadline();
        resolver.Dispose();

        await Ended(Assert.Single(Lookup.Threads));
        Assert.Equal(0, resolver.Threads.Count);
    }

    private static async Task Ended(Thread thread)
        => Assert.True(await Task.Run(() => thread.Join(Deadline.Default), TestToken).WithDeadline());
}
