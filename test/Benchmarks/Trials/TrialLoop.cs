using LoopBridge.Loops;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>A native loop on a thread of its own, as a server has them.</summary>
internal sealed class TrialLoop : IDisposable
{
    private readonly EventLoop _loop;
    private readonly Thread _thread;

    public TrialLoop(LoopDriver driver)
    {
        _loop = new EventLoop(new EventLoopOptions { Name = "trial", Driver = driver });
        _thread = new Thread(_loop.Start) { Name = "trial loop", IsBackground = true };
        _thread.Start();
    }

    public IEventLoop Loop => _loop;

    /// <summary>Runs async code on the loop and waits for it.</summary>
    public T Run<T>(Func<Task<T>> function)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _loop.AddCallback(() => _ = RunAsync());
        return result.Task.GetAwaiter().GetResult();

        async Task RunAsync()
        {
            try
            {
                result.SetResult(await function());
            }
            catch (Exception e)
            {
                result.SetException(e); // thrown to the caller
            }
        }
    }

    public void Dispose()
    {
        _loop.Stop();
        _thread.Join();
        _loop.Dispose();
    }
}
