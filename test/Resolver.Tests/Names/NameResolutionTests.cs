using System.Net;
using LoopBridge.Resolvers;
using LoopBridge.Testing;

namespace LoopBridge.Resolver.Tests.Names;

public class NameResolutionTests
{
    [Fact]
    [Contract("D-02")]
    public void New_WithRepetitions_KeepsTheFirstOfEachInOrder()
    {
        IPEndPoint one = IPEndPoint.Parse("192.0.2.1:80");
        IPEndPoint two = IPEndPoint.Parse("[fe80::1%1]:80"), three = IPEndPoint.Parse("[fe80::1%2]:80");
        List<IPEndPoint> given = [two, one, IPEndPoint.Parse("192.0.2.1:80"), three, two];
        NameResolution result = new(given, NameResolutionSource.Dns, TimeSpan.FromSeconds(30));
        given.Clear();

        Assert.Equal([two, one, three], result.EndPoints);
        Assert.Equal((NameResolutionSource.Dns, TimeSpan.FromSeconds(30)), (result.Source, result.Ttl));
    }

    [Fact]
    [Contract("D-03")]
    public void New_WithoutEndPoints_Throws() => Assert.Throws<ArgumentException>(() => new NameResolution([], NameResolutionSource.Dns));

    [Fact]
    public void New_WithANegativeTtl_Throws() => Assert.Throws<ArgumentOutOfRangeException>(
        () => new NameResolution([IPEndPoint.Parse("192.0.2.1:80")], NameResolutionSource.Dns, TimeSpan.FromTicks(-1)));

    [Fact]
    [Contract("D-11")]
    public void Exception_OfEachReason_TellsTheReasonTheNameAndTheServers()
    {
        IPEndPoint server = IPEndPoint.Parse("192.0.2.53:53");
        HashSet<string> messages = [];
        foreach (NameResolutionFailure reason in Enum.GetValues<NameResolutionFailure>())
        {
            NameResolutionException e = new(reason, "Some.example", isTransient: true, [server]);
            Assert.IsAssignableFrom<IOException>(e);
            Assert.Equal((reason, "Some.example", true), (e.Reason, e.HostName, e.IsTransient));
            Assert.Equal([server], e.Servers);
            Assert.Contains("'Some.example'", e.Message, StringComparison.Ordinal);
            Assert.True(messages.Add(e.Message), "Two reasons have one message.");
        }
    }

    [Fact]
    [Contract("D-11")]
    public void ExceptionMessage_WithAHostileName_IsOneShortLine()
    {
        NameResolutionException e = new(NameResolutionFailure.InvalidName, "a\r\nb\u001b[31m\u2028" + new string('x', 10_000));

        Assert.DoesNotContain(e.Message, char.IsControl);
        Assert.DoesNotContain('\u2028', e.Message);
        Assert.InRange(e.Message.Length, 1, 600);
        Assert.EndsWith(new string('x', 10_000), e.HostName, StringComparison.Ordinal);
        Assert.Empty(e.Servers);
    }
}
