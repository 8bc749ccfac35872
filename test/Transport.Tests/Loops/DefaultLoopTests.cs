using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>The loop of a process that has one.</summary>
public sealed class DefaultLoopTests : LoopContract
{
    public DefaultLoopTests()
    {
        CurrentLoop.Clear();
        Own(new Restore());
    }

    [Theory, LoopStacks]
    [Contract("L-CORE-09")]
    public void Install_OneExists_ThrowsAndLeavesIt(LoopStack stack)
    {
        Assert.False(DefaultLoop.Exists);
        IEventLoop first = NewLoop(stack, makeCurrent: false);
        IEventLoop second = NewLoop(stack, makeCurrent: false);
        DefaultLoop.Install(first);
        Assert.Throws<InvalidOperationException>(() => DefaultLoop.Install(second));
        Assert.Throws<InvalidOperationException>(() => DefaultLoop.Install(first));
        Assert.Same(first, DefaultLoop.Instance);
        Assert.Same(first, DefaultLoop.Clear());
        Assert.Null(DefaultLoop.Clear());
        DefaultLoop.Install(second);
        Assert.Same(second, DefaultLoop.Instance);
    }

    [Theory, LoopStacks]
    [Contract("L-CORE-09")]
    public void CurrentLoop_NoneOfTheThread_IsTheDefault(LoopStack stack)
    {
        Assert.Null(CurrentLoop.Value);
        IEventLoop loop = NewLoop(stack, makeCurrent: false);
        DefaultLoop.Install(loop);
        Assert.Same(loop, CurrentLoop.Value);
        Assert.Same(loop, CurrentLoop.Require());
        IEventLoop mine = NewLoop(stack, makeCurrent: true);
        Assert.Same(mine, CurrentLoop.Value);
        CurrentLoop.Clear();
        Assert.Same(loop, CurrentLoop.Value);
        loop.Dispose();
        Assert.False(DefaultLoop.Exists);
        Assert.Null(CurrentLoop.Value);
    }

    [Theory, LoopStacks]
    [Contract("L-CORE-09"), Contract("L-CORE-10")]
    public async Task Instance_AskedFromSeveralThreads_IsMadeOnceByTheFactory(LoopStack stack)
    {
        int made = 0;
        IEventLoop template = NewLoop(stack, makeCurrent: false);
        DefaultLoop.Factory = () =>
        {
            Interlocked.Increment(ref made);
            return template;
        };
        IEventLoop[] found = await Task.WhenAll(Enumerable.Range(0, 8).Select(static _ => Task.Run(CurrentLoop.Require))).WithDeadline();
        Assert.All(found, each => Assert.Same(template, each));
        Assert.Equal(1, made);

        // Whatever the default is, code inside a run gets the loop that runs.
        IEventLoop running = NewLoop(stack, makeCurrent: false);
        Assert.Same(running, running.RunSync(static _ => Task.FromResult(CurrentLoop.Require()), Deadline.Default));
        Assert.Same(template, CurrentLoop.Require());
    }

    [Fact]
    [Contract("L-CORE-10")]
    public void Factory_NotSet_MakesANativeLoop()
    {
        Assert.IsType<EventLoop>(Own(DefaultLoop.Instance));
        Assert.Throws<ArgumentNullException>(() => DefaultLoop.Factory = null!);
    }

    [Fact]
    public void Instance_FactoryGivesNone_Throws()
    {
        DefaultLoop.Factory = static () => null!;
        Assert.Throws<InvalidOperationException>(static () => DefaultLoop.Instance);
        Assert.False(DefaultLoop.Exists);
    }

    private sealed class Restore : IDisposable
    {
        private readonly Func<IEventLoop> _factory = DefaultLoop.Factory;

        public void Dispose()
        {
            DefaultLoop.Factory = _factory;
            DefaultLoop.Clear();
        }
    }
}
