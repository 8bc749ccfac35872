using System.Net.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Resolver.Tests.Names;

public class ArgumentTests
{
    [Theory]
    [Contract("D-10")]
    [InlineData(-1)]
    [InlineData(65536)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    public async Task Resolve_WithAPortThatIsNone_Throws(int port)
        => await Assert.ThrowsAsync<ArgumentOutOfRangeException>(nameof(port), () => NoLookup.Resolve("localhost", port));

    [Theory]
    [Contract("D-10")]
    [InlineData(0)]
    [InlineData(65535)]
    public async Task Resolve_WithAPort_CarriesItIntoEveryResult(int port)
        => Assert.All((await NoLookup.Resolve("localhost", port)).EndPoints, e => Assert.Equal(port, e.Port));

    [Theory]
    [Contract("D-03")]
    [InlineData(AddressFamily.Unix)]
    [InlineData(AddressFamily.Unknown)]
    public async Task Resolve_InAFamilyWithoutNames_Throws(AddressFamily family)
        => await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => NoLookup.Resolve("localhost", 80, family));

    [Fact]
    public async Task Resolve_Null_Throws() => await Assert.ThrowsAsync<ArgumentNullException>(() => NoLookup.Resolve(null!));
}
