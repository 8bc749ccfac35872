using LoopBridge.Resolvers;
using LoopBridge.Testing;

namespace LoopBridge.Resolver.Tests.Threaded;

public class LookupThreadsTests : ThreadedResolverTest
{
    [Fact]
    [Contract("D-24")]
    [Contract("D-28")]
    public async Task Lookups_OfManyNames_UseNoMoreThanTheirOwnNamedBackgroundThreads()
    {
        ThreadedResolver resolver = Create(new() { MaxThreads = 3, Timeout = Deadline.Default });
        Assert.Equal(0, resolver.Threads.Count);
        Task<NameResolution>[] calls =
            [.. Enumerable.Range(0, 32).Select(i => resolver.ResolveAsync($"n{i}.example", 80, cancellationToken: TestToken).AsTask())];
        await Lookup.StartedAsync(3);
        Assert.Equal(3, Lookup.Asked.Count);
        Assert.Equal(3, resolver.Threads.Count);
        Lookup.Release(32);
        await Task.WhenAll(calls).WithDeadline();

        Thread[] threads = [.. Lookup.Threads.Distinct()];
        Assert.Equal(3, threads.Length);
        Assert.Equal(32, Lookup.Asked.Count);
        Assert.All(threads, t => Assert.True(t.IsBackground));
        Assert.All(threads, t => Assert.False(t.IsThreadPoolThread));
        Assert.Equal(["lb-resolver-1", "lb-resolver-2", "lb-resolver-3"], threads.Select(t => t.Name).Order());
    }

    [Fact]
    [Contract("D-24")]
    public async Task Lookups_OneAfterTheOther_ShareOneThread()
    {
        ThreadedResolver resolver = Create();
        for (int i = 0; i < 10; i++)
        {
            Task<NameResolution> call = resolver.ResolveAsync($"n{i}.example", 80, cancellationToken: TestToken).AsTask();
            await Lookup.StartedAsync();
            Lookup.Release();
            await call.WithDeadline();
        }

        // One more where a call came before the thread of the last one was back; but not one for each.
        Assert.InRange(Lookup.Threads.Distinct().Count(), 1, 5);
    }

    [Fact]
    [Contract("D-24")]
    public async Task Thread_WithNothingToDo_EndsAndIsReplacedWhenNeeded()
    {
        ThreadedResolver resolver = Create(new() { ThreadIdleTimeout = TimeSpan.FromMilliseconds(1), Timeout = Deadline.Default });
        for (int i = 0; i < 3; i++)
        {
            Lookup.Release();
            await resolver.ResolveAsync($"n{i}.example", 80, cancellationToken: TestToken).WithDeadline();
            Thread last = Lookup.Threads.Last();
            Assert.True(await Task.Run(() => last.Join(Deadline.Default), TestToken).WithDeadline());
        }

        Assert.Equal(0, resolver.Threads.Count);
        Assert.Equal(3, Lookup.Threads.Distinct().Count());
    }

    [Fact]
    [Contract("L-RES-04")]
    public void Resolvers_OfOneProcess_ShareTheThreadsOfTheFirst()
    {
        using ThreadedResolver first = new(Microsoft.Extensions.Options.Options.Create(new ResolverOptions()));
        using ThreadedResolver second = new(Microsoft.Extensions.Options.Options.Create(new ResolverOptions { MaxThreads = 2 }));

        Assert.Same(first.Threads, second.Threads);
        Assert.Equal(10, second.Threads.MaxThreads);
    }

    [Fact]
    [Contract("L-RES-04")]
    public async Task Resolvers_SharingThreads_OutliveEachOther()
    {
        using ThreadedResolver second = Track(new ThreadedResolver(Options(), Lookup.LookUp, null));
        using (ThreadedResolver first = new(Options(), Lookup.LookUp, null))
        {
            Lookup.Release();
            await first.ResolveAsync("first.example", 80, cancellationToken: TestToken).WithDeadline();
        }

        Lookup.Release();
        await second.ResolveAsync("second.example", 80, cancellationToken: TestToken).WithDeadline();
    }

    [Fact]
    [Contract("L-RES-04")]
    public async Task Resolve_FromAStaticInitialiser_DoesNotDeadlock()
        => Assert.NotEmpty(await Task.Run(() => Initialised.EndPoints, TestToken).WithDeadline());

    [Fact]
    [Contract("D-14")]
    public async Task Continuations_NeverRunOnALookupThread()
    {
        ThreadedResolver resolver = Create();
        Task<Thread> call = ThreadAfter(resolver);
        await Lookup.StartedAsync();
        Lookup.Release();
        Thread after = await call.WithDeadline();

        Assert.DoesNotContain(after, Lookup.Threads);
    }

    private static async Task<Thread> ThreadAfter(ThreadedResolver resolver)
    {
        await resolver.ResolveAsync("away.example", 80, cancellationToken: TestToken).ConfigureAwait(false);
        return Thread.CurrentThread;
    }

    // The reference's ThreadedResolverImportTest: a lookup that an initialiser waits for must not need what the initialiser holds.
    private static class Initialised
    {
        public static readonly IReadOnlyList<System.Net.IPEndPoint> EndPoints = Resolve();

        private static IReadOnlyList<System.Net.IPEndPoint> Resolve()
        {
            using ThreadedResolver resolver = new(Microsoft.Extensions.Options.Options.Create(new ResolverOptions()));
            return resolver.ResolveAsync(System.Net.Dns.GetHostName(), 80).AsTask().GetAwaiter().GetResult().EndPoints;
        }
    }
}
