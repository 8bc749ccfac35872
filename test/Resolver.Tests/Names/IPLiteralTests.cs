using System.Net;
using System.Net.Sockets;
using LoopBridge.Resolvers;
using LoopBridge.Testing;

namespace LoopBridge.Resolver.Tests.Names;

public class IPLiteralTests
{
    [Theory]
    [Contract("D-04")]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("0.0.0.0", "0.0.0.0")]
    [InlineData("255.255.255.255", "255.255.255.255")]
    [InlineData("192.0.2.10", "192.0.2.10")]
    [InlineData("::", "::")]
    [InlineData("::1", "::1")]
    [InlineData("1::", "1::")]
    [InlineData("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a")]
    [InlineData("2001:db8::8:800:200c:417a", "2001:db8::8:800:200c:417a")]
    [InlineData("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0")]
    [InlineData("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8")]
    [InlineData("0001:0002:0003:0004:0005:0006:0007:0008", "1:2:3:4:5:6:7:8")]
    [InlineData("::ffff:192.0.2.1", "::ffff:192.0.2.1")]
    [InlineData("64:ff9b::192.0.2.33", "64:ff9b::c000:221")]
    [InlineData("1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201")]
    [InlineData("fe80::1%5", "fe80::1%5")]
    [InlineData("fe80::1%0", "fe80::1")]
    [InlineData("fe80::1%4294967295", "fe80::1%4294967295")]
    public async Task Resolve_AnAddress_IsAnsweredByItself(string text, string same)
    {
        NameResolution result = await NoLookup.Resolve(text, 443);

        Assert.Equal(new IPEndPoint(IPAddress.Parse(same), 443), Assert.Single(result.EndPoints));
        Assert.Equal(NameResolutionSource.Literal, result.Source);
        Assert.Null(result.Ttl);
    }

    [Theory]
    [Contract("D-04")]
    [InlineData("127.1")]
    [InlineData("127.0.1")]
    [InlineData("2130706433")]
    [InlineData("0")]
    [InlineData("0x7f.1")]
    [InlineData("0x7f000001")]
    [InlineData("0X7F000001")]
    [InlineData("0x")]
    [InlineData("0177.0.0.1")]
    [InlineData("127.0.0.01")]
    [InlineData("127.0.0.0x1")]
    [InlineData("00.0.0.0")]
    [InlineData("256.0.0.1")]
    [InlineData("1.2.3.99999999999999999999")]
    [InlineData("1.2.3.4.5")]
    [InlineData("1.2.3.4.")]
    [InlineData("1.2.3.")]
    [InlineData("1.2.3")]
    [InlineData("1..2.3")]
    [InlineData(".1.2.3.4")]
    [InlineData("+1.2.3.4")]
    [InlineData("1.2.3.4 ")]
    [InlineData(" 1.2.3.4")]
    [InlineData("1.2.3.4:80")]
    [InlineData("1.2.3.4/8")]
    [InlineData("host.example.1")]
    [InlineData("１２７.0.0.1")]
    [InlineData("１２７.１")]
    [InlineData("127。0。0。1")]
    [InlineData("[::1]")]
    [InlineData("[::1]:80")]
    [InlineData("[127.0.0.1]")]
    [InlineData("::1/128")]
    [InlineData(":")]
    [InlineData(":::")]
    [InlineData("1:::2")]
    [InlineData("1::2::3")]
    [InlineData(":1:2:3:4:5:6:7")]
    [InlineData("1:2:3:4:5:6:7")]
    [InlineData("1:2:3:4:5:6:7:")]
    [InlineData("1:2:3:4:5:6:7:8:9")]
    [InlineData("1:2:3:4:5:6:7:8::")]
    [InlineData("1:2:3:4::5:6:7:8")]
    [InlineData("::12345")]
    [InlineData("::1\0:2")]
    [InlineData("1::\0")]
    [InlineData("::g")]
    [InlineData("::0x1")]
    [InlineData("::1.2.3")]
    [InlineData("::1.2.3.04")]
    [InlineData("::1.2.3.4:5")]
    [InlineData("1:2:3:4:5:6:7:1.2.3.4")]
    [InlineData("::1 ")]
    [InlineData(" ::1")]
    [InlineData("fe80::1%")]
    [InlineData("fe80::1%4294967296")]
    [InlineData("fe80::1%nosuchinterface")]
    [InlineData("fe80::1%%5")]
    [InlineData("fe80::1%5/64")]
    [InlineData("fe80::1%lo\0")]
    [InlineData("%1")]
    [InlineData("1.2.3.4%1")]
    public async Task Resolve_AFormOnlySomeSystemsTake_IsAnInvalidName(string text)
        => Assert.Equal(NameResolutionFailure.InvalidName, (await NoLookup.Fail(text)).Reason);

    [Fact]
    [Contract("D-04")]
    public async Task Resolve_AnAddressWithAnInterfacesName_HasItsNumber()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The name of the loopback interface is Linux's.");

        NameResolution result = await NoLookup.Resolve("fe80::1%lo");

        Assert.Equal(1, Assert.Single(result.EndPoints).Address.ScopeId); // Linux makes the loopback first
    }

    [Theory]
    [Contract("D-03")]
    [InlineData("192.0.2.1", AddressFamily.InterNetwork, true)]
    [InlineData("192.0.2.1", AddressFamily.InterNetworkV6, false)]
    [InlineData("2001:db8::1", AddressFamily.InterNetworkV6, true)]
    [InlineData("2001:db8::1", AddressFamily.InterNetwork, false)]
    [InlineData("::ffff:192.0.2.1", AddressFamily.InterNetwork, false)]
    public async Task Resolve_AnAddressOfOneFamily_IsNoAddressInTheOther(string text, AddressFamily family, bool found)
    {
        if (found)
            Assert.Equal(family, Assert.Single((await NoLookup.Resolve(text, 80, family)).EndPoints).AddressFamily);
        else
            Assert.Equal(NameResolutionFailure.NoAddress, (await NoLookup.Fail(text, family)).Reason);
    }
}
