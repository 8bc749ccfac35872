using System.Net;
using System.Net.Sockets;
using LoopBridge.Resolvers;
using LoopBridge.Testing;

namespace LoopBridge.Resolver.Tests.Threaded;

public class SharingTests : ThreadedResolverTest
{
    [Fact]
    [Contract("D-15")]
    public async Task Resolve_TheSameNameOneHundredTimes_AsksOnce()
    {
        ThreadedResolver resolver = Create();
        string[] spellings = ["shared.example", "SHARED.Example"];
        Task<NameResolution>[] calls =
            [.. Enumerable.Range(0, 100).Select(n => resolver.ResolveAsync(spellings[n % 2], n, cancellationToken: TestToken).AsTask())];
        await Lookup.StartedAsync();
        Lookup.Release();
        NameResolution[] results = await Task.WhenAll(calls).WithDeadline();

        Assert.Single(Lookup.Asked);
        for (int port = 0; port < calls.Length; port++)
            Assert.Equal(new IPEndPoint(IPAddress.Parse("192.0.2.1"), port), Assert.Single(results[port].EndPoints));
    }

    [Fact]
    [Contract("D-15")]
    [Contract("D-03")]
    public async Task Resolve_TheSameNameInTwoFamilies_AsksForEach()
    {
        ThreadedResolver resolver = Create();
        Task<NameResolution> v4 = resolver.ResolveAsync("dual.example", 80, AddressFamily.InterNetwork, TestToken).AsTask();
        Task<NameResolution> both = resolver.ResolveAsync("dual.example", 80, AddressFamily.Unspecified, TestToken).AsTask();
        await Lookup.StartedAsync(2);
        Lookup.Release(2);
        await Task.WhenAll(v4, both).WithDeadline();

        Assert.Equal(
            [AddressFamily.Unspecified, AddressFamily.InterNetwork],
            Lookup.Asked.Select(k => k.Family).Order());
    }

    [Fact]
    [Contract("D-15")]
    public async Task Cancel_OneOfTwoWaiting_LeavesTheOther()
    {
        ThreadedResolver resolver = Create();
        using CancellationTokenSource cts = new();
        Task<NameResolution> leaving = resolver.ResolveAsync("shared.example", 80, cancellationToken: cts.Token).AsTask();
        Task<NameResolution> staying = resolver.ResolveAsync("shared.example", 80, cancellationToken: TestToken).AsTask();
        await Lookup.StartedAsync();
        await cts.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving.WithDeadline());
        Lookup.Release();
        await staying.WithDeadline();

        Assert.Single(Lookup.Asked);
    }

    [Fact]
    [Contract("D-15")]
    [Contract("D-11")]
    public async Task Failure_OfASharedLookup_NamesWhatEachCallerAskedFor()
    {
        ThreadedResolver resolver = Create();
        Lookup.Answer = LookupOutcome.Failed(NameResolutionFailure.NotFound);
        Task<NameResolution> first = resolver.ResolveAsync("Gone.example", 80, cancellationToken: TestToken).AsTask();
        Task<NameResolution> second = resolver.ResolveAsync("gone.EXAMPLE", 80, cancellationToken: TestToken).AsTask();
        await Lookup.StartedAsync();
        Lookup.Release();

        var one = await Assert.ThrowsAsync<NameResolutionException>(() => first.WithDeadline());
        var two = await Assert.ThrowsAsync<NameResolutionException>(() => second.WithDeadline());
        Assert.Equal(("Gone.example", "gone.EXAMPLE"), (one.HostName, two.HostName));
        Assert.Single(Lookup.Asked);
    }

    [Fact]
    [Contract("D-02")]
    public async Task Result_ChangedByOneCaller_IsNotChangedForAnother()
    {
        ThreadedResolver resolver = Create();
        Lookup.Answer = LookupOutcome.Found([IPAddress.Parse("fe80::1%3")], AddressFamily.Unspecified);
        Task<NameResolution> first = resolver.ResolveAsync("shared.example", 80, cancellationToken: TestToken).AsTask();
        Task<NameResolution> second = resolver.ResolveAsync("shared.example", 80, cancellationToken: TestToken).AsTask();
        await Lookup.StartedAsync();
        Lookup.Release();
        (await first.WithDeadline()).EndPoints[0].Address.ScopeId = 9;

        Assert.Equal(3, (await second.WithDeadline()).EndPoints[0].Address.ScopeId);
    }

    [Fact]
    [Contract("D-16")]
    [Contract("D-11")]
    public async Task Resolve_BeyondTheLimitOfCallers_IsBusyAtOnce()
    {
        ThreadedResolver resolver = Create(new() { MaxWaitingCallers = 3, MaxThreads = 1, Timeout = Deadline.Default });
        Task<NameResolution>[] waiting =
            [.. Enumerable.Range(0, 3).Select(i => resolver.ResolveAsync($"n{i}.example", 80, cancellationToken: TestToken).AsTask())];
        await Lookup.StartedAsync();

        Task<NameResolution> fourth = resolver.ResolveAsync("n3.example", 80, cancellationToken: TestToken).AsTask();
        Assert.True(fourth.IsFaulted);
        var e = await Assert.ThrowsAsync<NameResolutionException>(() => fourth.WithDeadline());
        Assert.Equal(NameResolutionFailure.Busy, e.Reason);
        Assert.True(e.IsTransient);
        await resolver.ResolveAsync("127.0.0.1", 80, cancellationToken: TestToken).WithDeadline();

        Lookup.Release(3);
        await Task.WhenAll(waiting).WithDeadline();
        Lookup.Release();
        await resolver.ResolveAsync("n3.example", 80, cancellationToken: TestToken).WithDeadline();
        Assert.Equal(4, Lookup.Asked.Count);
    }
}
