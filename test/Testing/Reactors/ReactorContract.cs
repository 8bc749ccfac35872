using LoopBridge.Bridge;
using LoopBridge.Drivers;
using LoopBridge.Reactors;
using Microsoft.Extensions.Logging;
using Xunit;

namespace LoopBridge.Testing;

/// <summary>
/// A contract test about reactors and what lives on them. Ends with the check of R-INV-04: nothing registered, nothing pending, no
/// descriptor and no log line left.
/// </summary>
public abstract class ReactorContract : ContractTest
{
    /// <summary>A reactor that does not run; disposed of at the test's end, with all below it.</summary>
    protected IReactor NewReactor(ReactorStack stack, TimeProvider? clock = null) => NewReactor(stack, clock, driver: null);

    /// <summary>As above, with a driver of the test's own at the bottom.</summary>
    private protected IReactor NewReactor(ReactorStack stack, TimeProvider? clock, IIoDriver? driver)
    {
        if (stack.Missing is { } reason)
        {
            Skip(reason);
        }

        var check = new NothingLeft();
        Own(check); // before the layers, so that it looks when they are gone
        IReactor reactor = stack.Create(clock ?? TimeProvider.System, Log.CreateLogger("reactor"), layer => Own(layer), driver);
        check.Reactor = reactor;
        return reactor;
    }

    /// <summary>A reactor that runs on a thread of its own; stopped and disposed of at the test's end.</summary>
    protected ReactorThread StartReactor(ReactorStack stack, TimeProvider? clock = null) => Run(NewReactor(stack, clock));

    /// <summary>Runs a reactor on a thread of its own; stopped at the test's end.</summary>
    protected ReactorThread Run(IReactor reactor) => Own(new ReactorThread(reactor));

    /// <summary>A reactor on a loop that others run; for the stacks that have one.</summary>
    protected ReactorOnLoop NewEmbedded(ReactorStack stack, TimeProvider? clock = null) => (ReactorOnLoop)NewReactor(stack, clock);

    /// <summary>An embedded reactor whose loop runs on a thread of its own.</summary>
    protected EmbeddedReactor StartEmbedded(ReactorStack stack, TimeProvider? clock = null) => StartEmbedded(NewEmbedded(stack, clock));

    /// <summary>Starts the loop of an embedded reactor on a thread of its own.</summary>
    protected EmbeddedReactor StartEmbedded(ReactorOnLoop reactor) => Own(new EmbeddedReactor(reactor));

    /// <summary>Ends the reactor and all below it before the test's end.</summary>
    protected static void DisposeStack(IReactor reactor)
    {
        for (IReactor? each = reactor; each is not null; each = Below(each))
        {
            ((IDisposable)each).Dispose();
            (each as ReactorOnLoop)?.Loop.Dispose();
        }
    }

    /// <summary>The exceptions that were reported since the last look, which count as expected from now on.</summary>
    protected Exception[] TakeErrors() => [.. Log.Take(LogLevel.Error).Select(entry => entry.Exception!)];

    /// <summary>The reactor two layers down, if there is one.</summary>
    protected static IReactor? Below(IReactor reactor) => ((reactor as ReactorOnLoop)?.Loop as LoopOnReactor)?.Reactor;

    private sealed class NothingLeft : IDisposable
    {
        internal IReactor? Reactor { get; set; }

        public void Dispose()
        {
            for (IReactor? each = Reactor; each is not null; each = Below(each))
            {
                Assert.Empty(each.RemoveAll());
                Assert.Empty(each.GetDelayedCalls());
            }
        }
    }
}
