using System.Net;
using System.Net.Sockets;
using LoopBridge.Resolvers;
using LoopBridge.Testing;
using Microsoft.Extensions.Options;

namespace LoopBridge.Resolver.Tests.Threaded;

/// <summary>The real system lookup, for names that need no network.</summary>
public class SystemLookupTests
{
    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    [Fact]
    [Contract("D-01")]
    [Contract("L-RES-01")]
    public async Task Resolve_Localhost_IncludesTheLoopbackWithThePort()
    {
        using ThreadedResolver resolver = new(Options.Create(new ResolverOptions()));

        NameResolution result = await ((INameResolver)resolver).ResolveAsync("localhost", 80, cancellationToken: TestToken).WithDeadline();

        Assert.Contains(new IPEndPoint(IPAddress.Loopback, 80), result.EndPoints);
    }

    [Fact]
    [Contract("L-RES-01")]
    public async Task Resolve_TheMachinesOwnName_GivesTheSystemsAddresses()
    {
        using ThreadedResolver resolver = new(Options.Create(new ResolverOptions()));

        NameResolution result = await resolver.ResolveAsync(Dns.GetHostName(), 4711, cancellationToken: TestToken).WithDeadline();

        Assert.Equal(NameResolutionSource.System, result.Source);
        Assert.Null(result.Ttl);
        Assert.All(result.EndPoints, e => Assert.Equal(4711, e.Port));

        // The framework adds the addresses of all interfaces to what the system says of this one name.
        IPAddress[] known = await Dns.GetHostAddressesAsync(Dns.GetHostName(), TestToken);
        Assert.All(result.EndPoints, e => Assert.Contains(e.Address, known));
    }

    [Fact]
    [Contract("L-RES-02")]
    public async Task Resolve_ANameThatCannotExist_IsAnIoError()
    {
        using ThreadedResolver resolver = new(Options.Create(new ResolverOptions()));

        IOException e = await Assert.ThrowsAnyAsync<IOException>(
            () => resolver.ResolveAsync("an.invalid", 80, cancellationToken: TestToken).WithDeadline());

        Assert.Equal(NameResolutionFailure.NotFound, Assert.IsType<NameResolutionException>(e).Reason);
    }

    [Fact]
    [Contract("D-02")]
    public void LookUp_OfAnAddressWithAScope_KeepsTheScope()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "getaddrinfo is called on Linux only.");

        // The hosts file knows no scopes, and resolvers answer addresses themselves: this is the one way to see getaddrinfo give one.
        LookupOutcome outcome = AddrInfoLibC.LookUp("fe80::1%1", AddressFamily.Unspecified);

        Assert.Equal(IPAddress.Parse("fe80::1%1"), Assert.Single(outcome.Addresses));
    }

    // What runs where there is no getaddrinfo of Linux; the framework's lookup is the same everywhere.
    [Fact]
    public void AskDns_ForLocalhost_GivesTheLoopback()
        => Assert.Contains(IPAddress.Loopback, OperatingSystemLookup.AskDns("localhost", AddressFamily.InterNetwork).Addresses);
}
