using System.Net;
using LoopBridge.Protocols;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>Ports by the names of their services.</summary>
public sealed class ServiceNameTests : ProtocolContract
{
    private const string Services = """
        # comment
        discard  9/udp   sink null
        discard	9/tcp		sink null	# tabs
        http     80/tcp  www # www2
        broken   /tcp
        huge     70000/tcp
        negative -1/tcp
        lonely
        http     8080/tcp
        """;

    [Theory, ReactorStacks]
    [Contract("R-TCPC-16")]
    public async Task ConnectTcp_ServiceName_IsLookedUpWithinTheCall(ReactorStack stack)
    {
        SkipUnless(File.Exists("/etc/services"), "there is no /etc/services (Debian: netbase)");
        ReactorThread thread = StartReactor(stack);
        var factory = new RecordingFactory { OnStarted = c => c.StopConnecting() };
        await thread.Do(() =>
        {
            IConnector connector = thread.Reactor.ConnectTcp(
                "127.0.0.1", "http", factory, new ConnectorOptions { Transport = Options });
            Assert.Equal(new IPEndPoint(IPAddress.Loopback, 80), connector.Destination);
        });
        await factory.Ended.WithDeadline();

        await thread.Do(() =>
        {
            var unknown = new RecordingFactory();
            var error = Assert.Throws<ServiceNameUnknownException>(
                () => thread.Reactor.ConnectTcp("127.0.0.1", "no-such-service", unknown));
            Assert.Equal("no-such-service", error.ServiceName);
            Assert.Empty(unknown.Events);
            Assert.Throws<ServiceNameUnknownException>(() => thread.Reactor.ConnectTcp("127.0.0.1", "80", unknown));
        });
    }

    [Theory]
    [InlineData("discard", 9)]
    [InlineData("sink", 9)]
    [InlineData("null", 9)]
    [InlineData("http", 80)]
    [InlineData("www", 80)]
    public void PortOf_NameOrAlias_FirstLineOfTheProtocol(string service, int port)
        => WithFile(Services, file => Assert.Equal(port, ServiceNames.PortOf(service, "tcp", file)));

    [Theory]
    [InlineData("www2")]
    [InlineData("broken")]
    [InlineData("huge")]
    [InlineData("negative")]
    [InlineData("lonely")]
    [InlineData("HTTP")]
    [InlineData("")]
    public void PortOf_NoSuchNameOrAMalformedLine_Throws(string service)
        => WithFile(Services, file => Assert.Throws<ServiceNameUnknownException>(() => ServiceNames.PortOf(service, "tcp", file)));

    [Fact]
    public void PortOf_FileIsMissingOrHuge_Throws()
    {
        Assert.Throws<ServiceNameUnknownException>(() => ServiceNames.PortOf("http", "tcp", "/no/such/file"));
        WithFile(Services, file =>
        {
            using (FileStream grown = File.OpenWrite(file))
            {
                grown.SetLength(5 * 1024 * 1024);
            }

            Assert.Throws<ServiceNameUnknownException>(() => ServiceNames.PortOf("http", "tcp", file));
        });
    }

    private static void WithFile(string content, Action<string> test)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, content);
            test(file);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
