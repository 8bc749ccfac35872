using System.Collections.Concurrent;
using LoopBridge.Protocols;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>Does what the test says, and remembers what happened.</summary>
internal class TestProtocol : Protocol
{
    private readonly TaskCompletionSource _made = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Exception> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<(int Count, TaskCompletionSource Source)> _waiting = new();
    private readonly Lock _lock = new();
    private readonly MemoryStream _received = new();

    internal delegate void DataAction(TestProtocol protocol, ReadOnlySpan<byte> data);

    internal Action<TestProtocol>? OnMade { get; init; }

    internal DataAction? OnData { get; init; }

    internal Action<TestProtocol>? OnResumed { get; init; }

    internal Action<TestProtocol, Exception>? OnLost { get; init; }

    internal ConcurrentQueue<string> Events { get; } = new();

    internal int LargestDelivery { get; private set; }

    internal Task Made => _made.Task;

    internal Task<Exception> Lost => _lost.Task;

    internal byte[] Received
    {
        get
        {
            lock (_lock)
            {
                return _received.ToArray();
            }
        }
    }

    internal Task WaitForBytes(int count)
    {
        var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _waiting.Enqueue((count, source));
            Release();
        }

        return source.Task;
    }

    public override void ConnectionMade()
    {
        Events.Enqueue("made");
        try
        {
            OnMade?.Invoke(this);
        }
        finally
        {
            _made.TrySetResult(); // last: whoever waits for it goes on at once, and looks at what the test's own did
        }
    }

    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        Events.Enqueue("data");
        LargestDelivery = Math.Max(LargestDelivery, data.Length);
        lock (_lock)
        {
            _received.Write(data);
            Release();
        }

        OnData?.Invoke(this, data);
    }

    public override void ProducingResumed()
    {
        Events.Enqueue("resumed");
        OnResumed?.Invoke(this);
    }

    public override void ConnectionLost(Exception reason)
    {
        Events.Enqueue("lost");
        try
        {
            OnLost?.Invoke(this, reason);
        }
        finally
        {
            _lost.TrySetResult(reason);
        }
    }

    private void Release()
    {
        while (_waiting.TryPeek(out (int Count, TaskCompletionSource Source) next) && _received.Length >= next.Count)
        {
            next.Source.TrySetResult();
            _waiting.TryDequeue(out _);
        }
    }
}
