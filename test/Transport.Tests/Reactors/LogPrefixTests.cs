using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>What a descriptor with a name is logged under.</summary>
public sealed class LogPrefixTests : ReactorContract
{
    [Theory, ReactorStacks]
    [Contract("R-FD-25")]
    public async Task Dispatch_DescriptorHasName_IsCalledInScopeOfThatName(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorThread thread = StartReactor(stack);
        var named = new NamedDescriptor(pair);
        var scopes = new List<string>();
        named.OnRead = () =>
        {
            scopes.AddRange(Log.Scopes);
            return pair.Drain();
        };
        named.OnLost = _ => scopes.AddRange(Log.Scopes);

        await thread.Do(() => thread.Reactor.AddReader(named));
        pair.Theirs.Close();
        await named.Lost.Task.WithDeadline();

        await thread.Do(() => Assert.Empty(Log.Scopes));
        Assert.Equal(["Echo,1", "Echo,1"], scopes.Take(2));
    }

    private sealed class NamedDescriptor(SocketPair pair) : TestDescriptor(pair.Ours.SafeHandle), ILogPrefix
    {
        public string LogPrefix => "Echo,1";
    }
}
