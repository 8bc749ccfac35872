using System.Net;
using System.Net.Sockets;
using LoopBridge.Resolvers;
using LoopBridge.Testing;

namespace LoopBridge.Resolver.Tests.Names;

/// <summary>Resolvers that must answer by themselves: there is nobody to ask.</summary>
internal static class NoLookup
{
    public static ThreadedResolver Create() => new(
        new ResolverOptions(),
        (name, _) => throw new InvalidOperationException($"Asked for {name}"),
        new LookupThreads(1, TimeSpan.Zero));

    public static async Task<NameResolution> Resolve(string host, int port = 80, AddressFamily family = AddressFamily.Unspecified)
    {
        using ThreadedResolver resolver = Create();
        return await resolver.ResolveAsync(host, port, family, TestContext.Current.CancellationToken).WithDeadline();
    }

    public static async Task<NameResolutionException> Fail(string host, AddressFamily family = AddressFamily.Unspecified)
    {
        NameResolutionException e = await Assert.ThrowsAsync<NameResolutionException>(() => Resolve(host, 80, family));
        Assert.Equal(host, e.HostName);
        Assert.False(e.IsTransient);
        Assert.Null(e.InnerException); // or somebody was asked
        return e;
    }

    /// <summary>The name that would be asked for.</summary>
    public static async Task<string> NameAskedFor(string host)
    {
        string? asked = null;
        using ThreadedResolver resolver = new(
            new ResolverOptions(),
            (name, family) =>
            {
                asked = name;
                return LookupOutcome.Found([IPAddress.Loopback], family);
            },
            new LookupThreads(1, TimeSpan.Zero));
        await resolver.ResolveAsync(host, 80, cancellationToken: TestContext.Current.CancellationToken).WithDeadline();
        return asked ?? throw new InvalidOperationException($"'{host}' was answered without asking.");
    }
}
