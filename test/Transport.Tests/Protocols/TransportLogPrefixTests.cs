using System.Net;
using LoopBridge.Protocols;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>What a connection is called in the log.</summary>
public sealed class TransportLogPrefixTests : ProtocolContract
{
    [Theory, ReactorStacks]
    [Contract("R-TCPC-20")]
    public async Task LogPrefix_ProtocolNamesItself_EachCallbackRunsInAScopeOfIt(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var scopes = new List<string>();
        void Note(Protocol _) => scopes.Add(Assert.Single(Log.Scopes));
        var server = new TestProtocol { OnMade = p => p.Transport.Write("hello"u8) };
        await using IListeningPort port = Listen(thread, () => server);
        var client = new NamedProtocol
        {
            OnMade = Note,
            OnData = (p, _) =>
            {
                Note(p);
                p.Transport.LoseConnection();
            },
            OnLost = (p, _) => Note(p),
        };
        var factory = new RecordingFactory { OnBuild = () => client };
        await thread.Do(() => thread.Reactor.ConnectTcp((IPEndPoint)port.Host, factory, new ConnectorOptions { Transport = Options }));
        await factory.Ended.WithDeadline();
        await server.Lost.WithDeadline();

        Assert.Equal(["Greeting client", "Greeting client", "Greeting client"], scopes.Select(scope => scope.Split(',')[0]));
        Assert.All(scopes, scope => Assert.Equal(client.Transport.LogPrefix, scope));
        Assert.Contains($"{port.Host}", client.Transport.LogPrefix, StringComparison.Ordinal);
        Assert.StartsWith("TestProtocol,", server.Transport.LogPrefix, StringComparison.Ordinal);
        await thread.Do(() => Assert.Empty(Log.Scopes));
    }

    private sealed class NamedProtocol : TestProtocol, ILogPrefix
    {
        public string LogPrefix => "Greeting client";
    }
}
