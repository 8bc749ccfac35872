using LoopBridge.Loops;

namespace LoopBridge.Testing;

/// <summary>A contract test about loops and what lives on them.</summary>
public abstract class LoopContract : ContractTest
{
    /// <summary>A loop that does not run; closed at the test's end.</summary>
    protected IEventLoop NewLoop(LoopStack stack, TimeProvider? clock = null, bool? makeCurrent = null)
    {
        if (stack.Missing is { } reason)
        {
            Skip(reason);
        }

        return Own(stack.Create(clock ?? TimeProvider.System, Log.CreateLogger("loop"), layer => Own(layer), makeCurrent));
    }

    /// <summary>A loop on a thread of its own; stopped and closed at the test's end.</summary>
    protected LoopThread StartLoop(LoopStack stack, TimeProvider? clock = null) => Own(new LoopThread(NewLoop(stack, clock)));
}
