using System.Diagnostics;
using System.Net.Sockets;
using LoopBridge.Resolvers;
using LoopBridge.Testing;

namespace LoopBridge.Resolver.Tests.Etc;

public class HostsFileTests
{
    private const string Hosts =
        """
        192.0.2.4 v4.example
        2001:db8::6 v6.example
        192.0.2.7 dual.example
        2001:db8::7 dual.example
        """;

    [Theory]
    [Contract("D-03")]
    [Contract("D-23")]
    [InlineData("v4.example", AddressFamily.Unspecified, "192.0.2.4")]
    [InlineData("v4.example", AddressFamily.InterNetwork, "192.0.2.4")]
    [InlineData("v4.example", AddressFamily.InterNetworkV6, "")]
    [InlineData("v6.example", AddressFamily.Unspecified, "2001:db8::6")]
    [InlineData("v6.example", AddressFamily.InterNetwork, "")]
    [InlineData("v6.example", AddressFamily.InterNetworkV6, "2001:db8::6")]
    [InlineData("dual.example", AddressFamily.Unspecified, "192.0.2.7 2001:db8::7")]
    [InlineData("dual.example", AddressFamily.InterNetwork, "192.0.2.7")]
    [InlineData("dual.example", AddressFamily.InterNetworkV6, "2001:db8::7")]
    public async Task Resolve_AHostInAFamily_GivesThatFamilyOnly(string host, AddressFamily family, string addresses)
    {
        using PrivateEtc etc = new(Hosts);
        using ThreadedResolver resolver = PrivateEtc.CreateResolver();
        Task<NameResolution> call = await etc.RunAsync(() => Resolve(resolver, host, family));

        if (addresses.Length == 0)
        {
            var e = await Assert.ThrowsAsync<NameResolutionException>(() => call.WithDeadline());
            Assert.Equal((NameResolutionFailure.NoAddress, host), (e.Reason, e.HostName));
            return;
        }

        NameResolution result = await call.WithDeadline();
        Assert.Equal(addresses.Split(' ').Order(), result.EndPoints.Select(e => e.Address.ToString()).Order());
    }

    [Fact]
    [Contract("D-02")]
    public async Task Resolve_AHostWithThirtyAddresses_GivesThemAll()
    {
        string[] addresses = [.. Enumerable.Range(1, 30).Select(i => $"192.0.2.{i}")];
        using PrivateEtc etc = new(string.Join('\n', addresses.Concat(addresses).Select(a => $"{a} thirty.example")) + "\n");
        using ThreadedResolver resolver = PrivateEtc.CreateResolver();
        NameResolution result = await (await etc.RunAsync(() => Resolve(resolver, "thirty.example"))).WithDeadline();

        Assert.Equal(addresses.Order(), result.EndPoints.Select(e => e.Address.ToString()).Order());
        Assert.All(result.EndPoints, e => Assert.Equal(443, e.Port));
        Assert.Equal((NameResolutionSource.System, (TimeSpan?)null), (result.Source, result.Ttl));
    }

    [Theory]
    [Contract("L-RES-02")]
    [Contract("D-11")]
    [Contract("D-23")]
    [InlineData(AddressFamily.Unspecified)]
    [InlineData(AddressFamily.InterNetwork)]
    [InlineData(AddressFamily.InterNetworkV6)]
    public async Task Resolve_AHostThatDoesNotExist_IsNotFound(AddressFamily family)
    {
        using PrivateEtc etc = new(Hosts);
        using ThreadedResolver resolver = PrivateEtc.CreateResolver();
        Task<NameResolution> call = await etc.RunAsync(() => Resolve(resolver, "Gone.example", family));

        IOException e = await Assert.ThrowsAnyAsync<IOException>(() => call.WithDeadline());
        var failure = Assert.IsType<NameResolutionException>(e);
        Assert.Equal((NameResolutionFailure.NotFound, "Gone.example", false), (failure.Reason, failure.HostName, failure.IsTransient));
    }

    [Theory]
    [Contract("D-22")]
    [InlineData("v4.example")]
    [InlineData("v6.example")]
    [InlineData("dual.example")]
    public async Task Resolve_AHost_GivesWhatGetentGivesInItsOrder(string host)
    {
        using PrivateEtc etc = new(Hosts);
        using ThreadedResolver resolver = PrivateEtc.CreateResolver();
        ProcessStartInfo program = new("getent", ["ahosts", host]) { RedirectStandardOutput = true };
        (Task<NameResolution> call, Process getent) = await etc.RunAsync(() => (Resolve(resolver, host), Process.Start(program)!));
        using (getent)
        {
            string output = await getent.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken).WithDeadline();
            NameResolution result = await call.WithDeadline();

            Assert.Equal(
                output.Split('\n').Where(l => l.Contains("STREAM", StringComparison.Ordinal)).Select(l => l.Split(' ')[0]),
                result.EndPoints.Select(e => e.Address.ToString()));
        }
    }

    private static Task<NameResolution> Resolve(ThreadedResolver resolver, string host, AddressFamily family = AddressFamily.Unspecified)
        => resolver.ResolveAsync(host, 443, family, TestContext.Current.CancellationToken).AsTask();
}
