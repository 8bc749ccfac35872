namespace LoopBridge.Handlers;

/// <summary>How many connections have a handler now, and when there is none. Any thread.</summary>
internal sealed class ServedConnections
{
    private readonly Lock _lock = new();
    private int _count;
    private TaskCompletionSource? _none;

    internal void Enter()
    {
        lock (_lock)
        {
            _count++;
        }
    }

    internal void Leave()
    {
        lock (_lock)
        {
            if (--_count == 0)
            {
                _none?.SetResult();
                _none = null;
            }
        }
    }

    internal Task WaitForNoneAsync()
    {
        lock (_lock)
        {
            return _count == 0
                ? Task.CompletedTask
                : (_none ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }
}
