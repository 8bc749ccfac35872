using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using LoopBridge.Resolvers;
using LoopBridge.Testing;

namespace LoopBridge.Resolver.Tests.Threaded;

public class FailureTests : ThreadedResolverTest
{
    [Theory]
    [Contract("D-23")]
    [InlineData(EaiCode.NoName, NameResolutionFailure.NotFound, false)]
    [InlineData(EaiCode.NoData, NameResolutionFailure.NoAddress, false)]
    [InlineData(EaiCode.Again, NameResolutionFailure.ServerFailure, true)]
    [InlineData(EaiCode.Fail, NameResolutionFailure.ServerFailure, false)]
    [InlineData(EaiCode.Family, NameResolutionFailure.NoAddress, false)]
    [InlineData(EaiCode.AddrFamily, NameResolutionFailure.NoAddress, false)]
    [InlineData(EaiCode.Memory, NameResolutionFailure.Busy, true)]
    [InlineData(EaiCode.IdnEncode, NameResolutionFailure.InvalidName, false)]
    [InlineData(EaiCode.BadFlags, NameResolutionFailure.ServerFailure, false)]
    [InlineData(EaiCode.SockType, NameResolutionFailure.ServerFailure, false)]
    [InlineData(EaiCode.Service, NameResolutionFailure.ServerFailure, false)]
    [InlineData(EaiCode.Overflow, NameResolutionFailure.ServerFailure, false)]
    [InlineData(-1000, NameResolutionFailure.ServerFailure, false)]
    public async Task EaiCode_OfEachKind_BecomesItsReason(int code, NameResolutionFailure reason, bool isTransient)
    {
        NameResolutionException e = await Fail(EaiCode.ToOutcome(code, errno: 0));

        Assert.Equal((reason, isTransient), (e.Reason, e.IsTransient));
        Assert.Null(e.InnerException);
    }

    [Theory]
    [Contract("D-23")]
    [InlineData(24, NameResolutionFailure.Busy)] // EMFILE
    [InlineData(12, NameResolutionFailure.Busy)] // ENOMEM
    [InlineData(110, NameResolutionFailure.Timeout)] // ETIMEDOUT
    [InlineData(111, NameResolutionFailure.NoServers)] // ECONNREFUSED
    [InlineData(5, NameResolutionFailure.ServerFailure)] // EIO
    public async Task EaiSystem_BecomesTheReasonThatErrnoTells(int errno, NameResolutionFailure reason)
    {
        NameResolutionException e = await Fail(EaiCode.ToOutcome(EaiCode.SystemError, errno));

        Assert.Equal((reason, true), (e.Reason, e.IsTransient));
        Assert.Equal(errno, Assert.IsType<Win32Exception>(e.InnerException).NativeErrorCode);
    }

    [Fact]
    [Contract("D-03")]
    public async Task Answer_OfAnotherFamilyOnly_IsNoAddress()
    {
        NameResolutionException e = await Fail(
            LookupOutcome.Found([IPAddress.Loopback], AddressFamily.InterNetworkV6), AddressFamily.InterNetworkV6);

        Assert.Equal(NameResolutionFailure.NoAddress, e.Reason);
    }

    [Fact]
    [Contract("D-02")]
    public async Task Answer_WithRepetitions_IsDistinctInTheSystemsOrder()
    {
        string[] addresses = [.. Enumerable.Range(1, 30).Select(i => $"192.0.2.{31 - i}")];
        Lookup.Answer = LookupOutcome.Found([.. addresses.Concat(addresses).Select(IPAddress.Parse)], AddressFamily.Unspecified);
        Lookup.Release();

        NameResolution result = await Create().ResolveAsync("thirty.example", 8080, cancellationToken: TestToken).WithDeadline();

        Assert.Equal(addresses.Select(a => new IPEndPoint(IPAddress.Parse(a), 8080)), result.EndPoints);
        Assert.Null(result.Ttl);
        Assert.Equal(NameResolutionSource.System, result.Source);
    }

    [Fact]
    public async Task Lookup_ThatThrows_FailsItsCallersAndNotTheProcess()
    {
        using ThreadedResolver resolver = new(
            Options(), (_, _) => throw new InvalidOperationException("a bug"), new LookupThreads(1, TimeSpan.Zero));
        for (int i = 0; i < 2; i++)
        {
            var e = await Assert.ThrowsAsync<NameResolutionException>(
                () => resolver.ResolveAsync("bug.example", 80, cancellationToken: TestToken).WithDeadline());
            Assert.Equal(NameResolutionFailure.ServerFailure, e.Reason);
            Assert.IsType<InvalidOperationException>(e.InnerException);
        }
    }

    private async Task<NameResolutionException> Fail(LookupOutcome outcome, AddressFamily family = AddressFamily.Unspecified)
    {
        Lookup.Answer = outcome;
        Lookup.Release();
        return await Assert.ThrowsAsync<NameResolutionException>(
            () => Create().ResolveAsync("failing.example", 80, family, TestToken).WithDeadline());
    }
}
