using System.Collections.Concurrent;
using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Reactors;

namespace LoopBridge.Middleware.Tests.Handlers;

/// <summary>What a probing handler does with the bytes it gets.</summary>
public enum Act
{
    Echo,
    Throw,
    Goodbye,
    Abort,
    Flood,
}

/// <summary>Tells the handlers under test what to do, and collects what they saw. A singleton of the server under test.</summary>
internal sealed class Probe
{
    /// <summary>More than any buffer in between takes.</summary>
    internal const int FloodSize = 8 * 1024 * 1024;

    private readonly TaskCompletionSource<ScopedResource> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _takeOvers;

    internal static byte[] LastWords { get; } = "Goodbye, and thanks."u8.ToArray();

    internal Act Act { get; set; }

    /// <summary>Places where a callback ran off its loop, or a loop or reactor was not the connection's.</summary>
    internal ConcurrentQueue<string> Misplaced { get; } = new();

    internal ConcurrentQueue<ScopedResource> Resources { get; } = new();

    /// <summary>Why connections were lost; protocols only.</summary>
    internal ConcurrentQueue<Exception> Losses { get; } = new();

    /// <summary>How many handlers were put directly on their socket.</summary>
    internal int TakeOvers => Volatile.Read(ref _takeOvers);

    /// <summary>What the scope of the first connection holds.</summary>
    internal Task<ScopedResource> First => _first.Task;

    internal void Add(ScopedResource resource)
    {
        Resources.Enqueue(resource);
        _first.TrySetResult(resource);
    }

    internal void CountTakeOver() => Interlocked.Increment(ref _takeOvers);

    internal void Check(string place, IEventLoop injected, IReactor reactor, IEventLoop own)
    {
        if (!own.IsOnLoopThread)
        {
            Misplaced.Enqueue($"{place}: not on the loop's thread");
        }

        if (!ReferenceEquals(injected, own) || !ReferenceEquals(reactor, own.GetReactor()))
        {
            Misplaced.Enqueue($"{place}: the injected loop or reactor is another connection's");
        }
    }
}

/// <summary>Something of the connection's scope: disposed once, on the loop, when the connection is over.</summary>
internal sealed class ScopedResource : IAsyncDisposable
{
    private readonly IEventLoop _loop;
    private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _disposals;

    public ScopedResource(Probe probe, IEventLoop loop)
    {
        _loop = loop;
        probe.Add(this);
    }

    internal Task Disposed => _disposed.Task;

    internal int Disposals => Volatile.Read(ref _disposals);

    internal bool DisposedOnLoop { get; private set; }

    internal bool DisposedWhileConnected { get; private set; }

    /// <summary>Whether the connection it belongs to is still there.</summary>
    internal Func<bool> IsConnected { get; set; } = () => false;

    public ValueTask DisposeAsync()
    {
        DisposedOnLoop = _loop.IsOnLoopThread;
        DisposedWhileConnected = IsConnected();
        Interlocked.Increment(ref _disposals);
        _disposed.TrySetResult();
        return ValueTask.CompletedTask;
    }
}
