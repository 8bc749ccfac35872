namespace LoopBridge.Benchmarks.Stacks;

/// <summary>A stack that runs on a thread of its own.</summary>
internal sealed class StackThread : IDisposable
{
    private readonly EngineStack _stack;
    private readonly Thread _thread;

    public StackThread(string name, LoopDriver driver)
    {
        _stack = new EngineStack(name, driver);
        _thread = new Thread(() => _stack.Run(installSignalHandlers: false)) { Name = name, IsBackground = true };
        _thread.Start();
    }

    public EngineStack Stack => _stack;

    /// <summary>Runs a question on the stack and waits for the answer.</summary>
    public T Ask<T>(Func<EngineStack, T> question)
    {
        using var done = new ManualResetEventSlim(initialState: false, spinCount: 0);
        T answer = default!;
        _stack.Call(_ =>
        {
            answer = question(_stack);
            done.Set();
        }, null);
        done.Wait();
        return answer;
    }

    public void Dispose()
    {
        _stack.Call(static stack => ((EngineStack)stack!).Stop(), _stack);
        _thread.Join();
        _stack.Dispose();
    }
}
