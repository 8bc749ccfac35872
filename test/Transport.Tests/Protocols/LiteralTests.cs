using System.Net;
using System.Net.Sockets;
using LoopBridge.Protocols;
using LoopBridge.Resolvers;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>Texts: what connectors say of themselves, and what counts as an address.</summary>
public sealed class LiteralTests : ProtocolContract
{
    [Theory, ReactorStacks]
    [Contract("R-TCPC-29")]
    public async Task Connector_TextForm_NamesStateAndDestination(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var server = new TestProtocol();
        await using IListeningPort port = Listen(thread, () => server);
        int number = ((IPEndPoint)port.Host).Port;
        var factory = new RecordingFactory();
        var options = new ConnectorOptions { Transport = Options, Resolver = LiteralResolver.Instance };
        IConnector connector = await thread.Ask(() =>
        {
            IConnector begun = thread.Reactor.ConnectTcp("localhost", number, factory, options);
            Assert.Equal($"connecting to {new DnsEndPoint("localhost", number)}", begun.ToString());
            return begun;
        });
        await server.Made.WithDeadline();
        await factory.Built.WithDeadline();
        Assert.Equal($"connected to {new DnsEndPoint("localhost", number)}", await thread.Ask(connector.ToString));

        await thread.Do(connector.Disconnect);
        await factory.Ended.WithDeadline();
        Assert.Equal($"disconnected from {new DnsEndPoint("localhost", number)}", await thread.Ask(connector.ToString));
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-29")]
    public async Task LiteralResolver_NameOrService_IsAnErrorOfTheAttemptOrOfTheCall(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var factory = new RecordingFactory();
        var options = new ConnectorOptions { Transport = Options, Resolver = LiteralResolver.Instance };
        await thread.Do(() => thread.Reactor.ConnectTcp("plainword", 80, factory, options));

        var failure = Assert.IsType<UnknownHostException>(await factory.Ended.WithDeadline());
        Assert.Equal(NameResolutionFailure.NoServers, Assert.IsType<NameResolutionException>(failure.InnerException).Reason);
        await thread.Do(() => Assert.Throws<ServiceNameUnknownException>(
            () => thread.Reactor.ConnectTcp("127.0.0.1", "no-such-service", factory, options)));
    }

    [Theory]
    [Contract("R-TCPC-29")]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("127.0.0.1")]
    [InlineData("hello%eth0")]
    [InlineData("%eth0")]
    [InlineData("127.0.0.1%lo")]
    [InlineData("::1%")]
    [InlineData("1::2::3")]
    public void IPv6_IsNot(string text)
        => Assert.False(IPLiteral.TryParse(text, out IPAddress address) && address.AddressFamily == AddressFamily.InterNetworkV6);

    [Theory]
    [Contract("R-TCPC-29")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("0001:0002:0003:0004:0005:0006:0007:0008")]
    [InlineData("fe80::1%2")]
    public void IPv6_Is(string text)
        => Assert.True(IPLiteral.TryParse(text, out IPAddress address) && address.AddressFamily == AddressFamily.InterNetworkV6);

    [Fact]
    [Contract("R-TCPC-29")]
    public async Task LiteralResolver_Literal_IsItself_OtherFamilyIsAnError()
    {
        NameResolution found = await LiteralResolver.Instance.ResolveAsync(
            "::1", 80, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(new IPEndPoint(IPAddress.IPv6Loopback, 80), Assert.Single(found.EndPoints));
        await Assert.ThrowsAsync<NameResolutionException>(() => LiteralResolver.Instance.ResolveAsync(
            "::1", 80, AddressFamily.InterNetwork, TestContext.Current.CancellationToken).AsTask());
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => LiteralResolver.Instance.ResolveAsync(
            "::1", -1, cancellationToken: TestContext.Current.CancellationToken).AsTask());
    }
}
