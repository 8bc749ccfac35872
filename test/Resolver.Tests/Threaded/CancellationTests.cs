using System.Diagnostics;
using LoopBridge.Resolvers;
using LoopBridge.Testing;

namespace LoopBridge.Resolver.Tests.Threaded;

public class CancellationTests : ThreadedResolverTest
{
    private static readonly TimeSpan Bound = TimeSpan.FromMilliseconds(50);

    [Fact]
    [Contract("D-12")]
    [Contract("D-11")]
    public async Task Cancel_WhileTheSystemHangs_EndsTheCallWithin50Milliseconds()
    {
        ThreadedResolver resolver = Create();
        TimeSpan best = TimeSpan.MaxValue;

        // The best of some: the bound is on the resolver, not on what else this machine does.
        for (int i = 0; i < 50 && best >= Bound; i++)
        {
            using CancellationTokenSource cts = new();
            Task<NameResolution> call = resolver.ResolveAsync($"stuck{i}.example", 80, cancellationToken: cts.Token).AsTask();
            await Lookup.StartedAsync();

            long cancelledAt = Stopwatch.GetTimestamp();
            await cts.CancelAsync();
            OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WithDeadline());
            TimeSpan took = Stopwatch.GetElapsedTime(cancelledAt);
            best = took < best ? took : best;
            Assert.Equal(cts.Token, e.CancellationToken);
            Lookup.Release(); // its thread is needed again
        }

        Assert.True(best < Bound, $"The best of many took {best}.");
    }

    [Fact]
    [Contract("D-12")]
    public async Task Cancel_WhileInLine_NeverAsksTheSystem()
    {
        ThreadedResolver resolver = Create(new() { MaxThreads = 1 });
        Task<NameResolution> first = resolver.ResolveAsync("first.example", 80, cancellationToken: TestToken).AsTask();
        await Lookup.StartedAsync();

        using CancellationTokenSource cts = new();
        Task<NameResolution> second = resolver.ResolveAsync("second.example", 80, cancellationToken: cts.Token).AsTask();
        await cts.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second.WithDeadline());
        Task<NameResolution> third = resolver.ResolveAsync("third.example", 80, cancellationToken: TestToken).AsTask();
        Lookup.Release(2);
        await first.WithDeadline();
        await third.WithDeadline();

        Assert.Equal(["first.example", "third.example"], Lookup.Asked.Select(k => k.Name));
    }

    [Fact]
    [Contract("D-12")]
    public async Task Cancel_BeforeTheCall_AsksNobody()
    {
        ThreadedResolver resolver = Create();
        using CancellationTokenSource cts = new();
        await cts.CancelAsync();

        Task<NameResolution> call = resolver.ResolveAsync("early.example", 80, cancellationToken: cts.Token).AsTask();

        Assert.True(call.IsCanceled);
        OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WithDeadline());
        Assert.Equal(cts.Token, e.CancellationToken);
        Assert.Empty(Lookup.Asked);
    }

    [Fact]
    [Contract("D-26")]
    public async Task Cancel_WithTheOnlyThreadTaken_TheNextCallWaitsUntilTheSystemAnswersTheFirst()
    {
        ThreadedResolver resolver = Create(new() { MaxThreads = 1, Timeout = Deadline.Default });
        using CancellationTokenSource cts = new();
        Task<NameResolution> abandoned = resolver.ResolveAsync("same.example", 80, cancellationToken: cts.Token).AsTask();
        await Lookup.StartedAsync();
        await cts.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => abandoned.WithDeadline());

        Task<NameResolution> next = resolver.ResolveAsync("same.example", 80, cancellationToken: TestToken).AsTask();
        Assert.Single(Lookup.Asked);
        Lookup.Release(); // the abandoned lookup comes back; its answer is nobody's
        await Lookup.StartedAsync();
        Assert.False(next.IsCompleted);
        Lookup.Release();
        await next.WithDeadline();

        Assert.Equal(2, Lookup.Asked.Count);
        Assert.Single(Lookup.Threads.Distinct());
    }

    [Fact]
    [Contract("D-13")]
    [Contract("D-26")]
    [Contract("D-11")]
    public async Task Deadline_WhenTheSystemHangs_FailsWithTimeout()
    {
        // Again where the first call's time was over before its thread had begun.
        do
        {
            ThreadedResolver resolver = Create(new() { MaxThreads = 1, Timeout = TimeSpan.FromMilliseconds(100) });
            long startedAt = Stopwatch.GetTimestamp();

            // The second one never gets a thread: waiting for one is under the deadline too.
            Task<NameResolution>[] calls =
            [
                resolver.ResolveAsync("Silent.example", 80, cancellationToken: TestToken).AsTask(),
                resolver.ResolveAsync("inline.example", 80, cancellationToken: TestToken).AsTask(),
            ];
            foreach (Task<NameResolution> call in calls)
            {
                var e = await Assert.ThrowsAsync<NameResolutionException>(() => call.WithDeadline());
                Assert.Equal(NameResolutionFailure.Timeout, e.Reason);
                Assert.True(e.IsTransient);
            }

            // Timers may be early by a tick of the system's clock.
            Assert.True(Stopwatch.GetElapsedTime(startedAt) > TimeSpan.FromMilliseconds(80));
        }
        while (Lookup.Asked.IsEmpty);

        Assert.All(Lookup.Asked, static key => Assert.Equal("silent.example", key.Name));
    }
}
