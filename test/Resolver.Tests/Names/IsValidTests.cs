using LoopBridge.Resolvers;
using LoopBridge.Testing;

namespace LoopBridge.Resolver.Tests.Names;

/// <summary>The table of Tornado's <c>IsValidIPTest</c>, and what <see cref="System.Net.IPAddress"/> would take for an address.</summary>
public class IsValidTests
{
    [Theory]
    [Contract("L-NET-06")]
    [InlineData("127.0.0.1", true)]
    [InlineData("4.4.4.4", true)]
    [InlineData("::1", true)]
    [InlineData("2620:0:1cfe:face:b00c::3", true)]
    [InlineData("", false)]
    [InlineData(" ", false)]
    [InlineData("\n", false)]
    [InlineData("\0", false)]
    [InlineData(null, false)]
    [InlineData("www.google.com", false)]
    [InlineData("localhost", false)]
    [InlineData("4.4.4.4<", false)]
    [InlineData(" 127.0.0.1", false)]
    [InlineData("127.0.0.1\0", false)]
    [InlineData("::1\0", false)]
    [InlineData("127.0.0.1:80", false)]
    [InlineData("[::1]", false)]
    [InlineData("[::1]:80", false)]
    [InlineData("127", false)]
    [InlineData("127.1", false)]
    [InlineData("1.2.3", false)]
    [InlineData("1.2.3.4.5", false)]
    [InlineData("1:2", false)]
    [InlineData("::1%", false)]
    public void IsValid_Text_TellsAddressesFromTheRest(string? text, bool isAddress) => Assert.Equal(isAddress, IPLiteral.IsValid(text));
}
