using LoopBridge.Bridge;
using LoopBridge.Loops;

namespace LoopBridge.Testing;

/// <summary>A reactor whose loop a thread of its own runs, as an embedding program does.</summary>
public sealed class EmbeddedReactor : IDisposable
{
    private LoopThread _thread;

    public EmbeddedReactor(ReactorOnLoop reactor)
    {
        Reactor = reactor;
        _thread = new LoopThread(reactor.Loop);
    }

    public ReactorOnLoop Reactor { get; }

    public IEventLoop Loop => Reactor.Loop;

    /// <summary>Stops the loop without a word to the reactor.</summary>
    public void StopLoop() => _thread.Stop();

    /// <summary>Starts the loop again, on another thread.</summary>
    public void StartLoop() => _thread = new LoopThread(Loop);

    /// <summary>Runs <paramref name="question"/> on the loop and gives its answer.</summary>
    public Task<T> Ask<T>(Func<T> question) => _thread.Ask(question);

    /// <summary>Runs <paramref name="action"/> on the loop and waits for its end.</summary>
    public Task Do(Action action) => _thread.Do(action);

    /// <summary>Lets so many whole turns of the loop go by.</summary>
    public async Task Turn(int count = 2)
    {
        for (int i = 0; i < count; i++)
        {
            var turned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await Do(() => Loop.CallLater(TimeSpan.Zero, static state => ((TaskCompletionSource)state!).SetResult(), turned));
            await turned.Task.WithDeadline();
        }
    }

    /// <summary>Ends the loop's run.</summary>
    public void Dispose() => _thread.Dispose();
}
