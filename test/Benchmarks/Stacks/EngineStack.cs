using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Reactors;

namespace LoopBridge.Benchmarks.Stacks;

/// <summary>
/// Loops and reactors in layers, named from top to bottom: <c>R/L</c> is a reactor on a native loop, <c>L</c> the native loop, <c>R</c> the
/// native reactor.
/// </summary>
internal sealed class EngineStack : IDisposable
{
    private readonly Stack<IDisposable> _layers = new();
    private IEventLoop? _loop;
    private IReactor? _reactor;

    public EngineStack(string name, LoopDriver driver)
    {
        string[] layers = name.Split('/');
        foreach (string layer in layers.Reverse())
            Add(layer, driver);

        IsLoop = layers[0] == "L";
    }

    /// <summary>Whether the top is a loop.</summary>
    public bool IsLoop { get; }

    /// <summary>The topmost loop, if there is one.</summary>
    public IEventLoop Loop => _loop ?? throw new InvalidOperationException("There is no loop in this stack.");

    /// <summary>The topmost reactor, if there is one.</summary>
    public IReactor Reactor => _reactor ?? throw new InvalidOperationException("There is no reactor in this stack.");

    /// <summary>Runs the whole stack from its top, until that is stopped.</summary>
    public void Run(bool installSignalHandlers)
    {
        if (IsLoop)
            Loop.Start();
        else
            Reactor.Run(installSignalHandlers);
    }

    /// <summary>Hands work to the top. Any thread.</summary>
    public void Call(Action<object?> work, object? state)
    {
        if (IsLoop)
            Loop.AddCallback(work, state);
        else
            Reactor.CallFromThread(work, state);
    }

    /// <summary>Has something run later on the top. Thread of the stack.</summary>
    public object CallLater(TimeSpan delay, Action<object?> work, object? state)
        => IsLoop ? Loop.CallLater(delay, work, state) : Reactor.CallLater(delay, work, state);

    /// <summary>Takes back what <see cref="CallLater"/> gave. Thread of the stack.</summary>
    public void Cancel(object handle)
    {
        if (IsLoop)
            Loop.RemoveTimeout((LoopTimeout)handle);
        else
            ((IDelayedCall)handle).Cancel();
    }

    /// <summary>Ends <see cref="Run"/>. Thread of the stack.</summary>
    public void Stop()
    {
        if (IsLoop)
            Loop.Stop();
        else
            Reactor.Stop();
    }

    public void Dispose()
    {
        while (_layers.TryPop(out IDisposable? layer))
            layer.Dispose();
    }

    private void Add(string layer, LoopDriver driver)
    {
        if (layer == "L")
        {
            _loop = _reactor is null
                ? new EventLoop(new EventLoopOptions { Driver = driver, MakeCurrent = false })
                : new LoopOnReactor(_reactor, new LoopOnReactorOptions { MakeCurrent = false });
            _layers.Push(_loop);
        }
        else
        {
            _reactor = _loop is null ? new Reactor(new ReactorOptions { Driver = driver }) : new ReactorOnLoop(_loop);
            _layers.Push((IDisposable)_reactor);
        }
    }
}
