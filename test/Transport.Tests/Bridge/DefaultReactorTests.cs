using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Bridge;

/// <summary>The one reactor of a process that has one.</summary>
public sealed class DefaultReactorTests : ReactorContract
{
    private readonly IReactor? _former = DefaultReactor.Clear();

    public DefaultReactorTests() => Own(new Restoration(_former));

    [Theory, ReactorStacks]
    [Contract("R-CORE-31")]
    public void Install_Twice_TheFirstStays(ReactorStack stack)
    {
        IReactor first = NewReactor(stack);

        DefaultReactor.Install(first);

        Assert.Throws<ReactorAlreadyInstalledException>(() => DefaultReactor.Install(NewReactor(stack)));
        Assert.Same(first, DefaultReactor.Instance);
        Assert.Same(first, DefaultReactor.Clear());
        Assert.False(DefaultReactor.Exists);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-31")]
    public void Instance_NoneIsInstalled_IsMadeOnceByTheFactory(ReactorStack stack)
    {
        IReactor made = NewReactor(stack);
        Func<IReactor> factory = DefaultReactor.Factory;
        int calls = 0;
        try
        {
            DefaultReactor.Factory = () =>
            {
                Interlocked.Increment(ref calls);
                return made;
            };
            Assert.False(DefaultReactor.Exists);

            Parallel.For(0, 8, _ => Assert.Same(made, DefaultReactor.Instance));
        }
        finally
        {
            DefaultReactor.Factory = factory;
        }

        Assert.Equal(1, calls);
        Assert.Throws<ReactorAlreadyInstalledException>(() => DefaultReactor.Install(made));
    }

    [Fact]
    [Contract("R-CORE-31")]
    public void Instance_NothingIsChosen_StandsOnTheDefaultLoop()
    {
        IEventLoop? former = DefaultLoop.Clear();
        try
        {
            var reactor = (ReactorOnLoop)DefaultReactor.Instance;

            Assert.Same(DefaultLoop.Instance, reactor.Loop);
            reactor.CallWhenRunning(reactor.Stop);
            reactor.RunBounded();
            reactor.Dispose();
        }
        finally
        {
            DefaultLoop.Clear()?.Dispose();
            if (former is not null)
            {
                DefaultLoop.Install(former);
            }
        }
    }

    private sealed class Restoration(IReactor? former) : IDisposable
    {
        public void Dispose()
        {
            DefaultReactor.Clear();
            if (former is not null)
            {
                DefaultReactor.Install(former);
            }
        }
    }
}
