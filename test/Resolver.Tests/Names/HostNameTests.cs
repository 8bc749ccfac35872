using System.Net;
using System.Net.Sockets;
using LoopBridge.Resolvers;
using LoopBridge.Testing;

namespace LoopBridge.Resolver.Tests.Names;

public class HostNameTests
{
    private static readonly string Label63 = new('a', 63);

    // 253 characters in labels of 63, 63, 63 and 61.
    private static readonly string Name253 = string.Join('.', Label63, Label63, Label63, Label63[..61]);

    [Theory]
    [Contract("D-05")]
    [InlineData("a..b")]
    [InlineData(".a")]
    [InlineData("a..")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a b")]
    [InlineData("a\tb")]
    [InlineData("a/b")]
    [InlineData("a@b")]
    [InlineData("a:80")]
    [InlineData("a\\b")]
    [InlineData("*.example")]
    [InlineData("a\nb")]
    [InlineData("a\r\nb")]
    [InlineData("a\u0001b")]
    [InlineData("a\u007fb")]
    [InlineData("%61.example")]
    [InlineData("a,b")]
    public async Task Resolve_WhatIsNoName_IsAnInvalidName(string host)
        => Assert.Equal(NameResolutionFailure.InvalidName, (await NoLookup.Fail(host)).Reason);

    [Fact]
    [Contract("D-05")]
    public async Task Resolve_ANameOfAnyLength_TakesUpTo253AndLabelsUpTo63()
    {
        Assert.Equal(253, Name253.Length);
        Assert.Equal(Name253, await NoLookup.NameAskedFor(Name253));
        Assert.Equal(Name253 + ".", await NoLookup.NameAskedFor(Name253 + "."));
        string[] tooLong = [Name253 + "a", Name253 + "a.", new string('a', 300), Label63 + "a", Label63 + "a.example", new('ü', 100_000)];
        foreach (string host in tooLong)
            Assert.Equal(NameResolutionFailure.InvalidName, (await NoLookup.Fail(host)).Reason);
    }

    [Theory]
    [Contract("D-05")]
    [InlineData("example", "example")]
    [InlineData("WWW.Example.COM", "www.example.com")]
    [InlineData("example.com.", "example.com.")]
    [InlineData("_sip._tcp.example", "_sip._tcp.example")]
    [InlineData("a-b--c.example", "a-b--c.example")]
    [InlineData("1and1.example", "1and1.example")]
    [InlineData("127.0.0.1.example", "127.0.0.1.example")]
    [InlineData("0xcafe.example", "0xcafe.example")]
    [InlineData("0xyz", "0xyz")]
    [InlineData("1.2.3.-4", "1.2.3.-4")]
    [InlineData("printer.local", "printer.local")]
    public async Task Resolve_AName_IsAskedForInLowerCase(string host, string asked)
        => Assert.Equal(asked, await NoLookup.NameAskedFor(host));

    [Theory]
    [Contract("D-06")]
    [InlineData("localhost\0.evil.invalid")]
    [InlineData("\0")]
    [InlineData("localhost\0")]
    [InlineData("127.0.0.1\0")]
    [InlineData("::1\0")]
    [InlineData("bücher\0.example")]
    public async Task Resolve_ANameWithNul_IsAnInvalidName(string host)
        => Assert.Equal(NameResolutionFailure.InvalidName, (await NoLookup.Fail(host)).Reason);

    [Theory]
    [Contract("D-07")]
    [InlineData("bücher.example", "xn--bcher-kva.example")]
    [InlineData("BÜCHER.example", "xn--bcher-kva.example")]
    [InlineData("bücher.example.", "xn--bcher-kva.example.")]
    [InlineData("bücher。example", "xn--bcher-kva.example")]
    [InlineData("xn--bcher-kva.example", "xn--bcher-kva.example")]
    [InlineData("_ü.example", "xn--_-eha.example")]
    public async Task Resolve_ANameBeyondAscii_IsMappedOnce(string host, string asked)
        => Assert.Equal(asked, await NoLookup.NameAskedFor(host));

    // U+2100 maps to "a/c": what comes out is checked like what went in.
    public static TheoryData<string> Unmappable =>
    [
        "\ud800.example", "\udc00\ud800.example", "\u00ad", "\u2100.example", "ü..example", "ü b.example", "xn--ü.example",
        Label63[..56] + "ü.example", // 64 octets as xn--
    ];

    [Theory]
    [Contract("D-07")]
    [MemberData(nameof(Unmappable), DisableDiscoveryEnumeration = true)] // runners cannot carry half a surrogate
    public async Task Resolve_WhatCannotBeMapped_IsAnInvalidName(string host)
        => Assert.Equal(NameResolutionFailure.InvalidName, (await NoLookup.Fail(host)).Reason);

    [Fact]
    [Contract("D-07")]
    public async Task Resolve_ALabelOf63OctetsAfterMapping_IsAskedFor()
        => Assert.Equal($"xn--{Label63[..55]}-8yf.example", await NoLookup.NameAskedFor(Label63[..55] + "ü.example"));

    [Theory]
    [Contract("D-08")]
    [InlineData("localhost")]
    [InlineData("LocalHost")]
    [InlineData("localhost.")]
    [InlineData("foo.localhost")]
    [InlineData("a.b.localhost.")]
    [InlineData("ｌocalhost")]
    public async Task Resolve_Localhost_IsTheLoopbackV6First(string host)
    {
        NameResolution both = await NoLookup.Resolve(host, 7);
        NameResolution v4 = await NoLookup.Resolve(host, 7, AddressFamily.InterNetwork);
        NameResolution v6 = await NoLookup.Resolve(host, 7, AddressFamily.InterNetworkV6);

        Assert.Equal([new IPEndPoint(IPAddress.IPv6Loopback, 7), new IPEndPoint(IPAddress.Loopback, 7)], both.EndPoints);
        Assert.Equal([new IPEndPoint(IPAddress.Loopback, 7)], v4.EndPoints);
        Assert.Equal([new IPEndPoint(IPAddress.IPv6Loopback, 7)], v6.EndPoints);
    }

    [Theory]
    [Contract("D-08")]
    [InlineData("invalid")]
    [InlineData("no.such.invalid")]
    [InlineData("No.Such.INVALID.")]
    [InlineData("onion")]
    [InlineData("expyuzz4wqqyqhjn.onion")]
    public async Task Resolve_ANameNeverToBeSent_IsNotFound(string host)
        => Assert.Equal(NameResolutionFailure.NotFound, (await NoLookup.Fail(host)).Reason);

    [Theory]
    [Contract("D-08")]
    [InlineData("notlocalhost")]
    [InlineData("localhost.example")]
    [InlineData("theinvalid")]
    [InlineData("onion.example")]
    [InlineData("service.cluster.local")]
    public async Task Resolve_ANameLikeASpecialOne_IsAskedFor(string host)
        => Assert.Equal(host, await NoLookup.NameAskedFor(host));

    [Theory]
    [Contract("D-09")]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("\t\r\n")]
    [InlineData("\u00a0")]
    public async Task Resolve_AnEmptyName_IsAnInvalidName(string host)
        => Assert.Equal(NameResolutionFailure.InvalidName, (await NoLookup.Fail(host)).Reason);
}
