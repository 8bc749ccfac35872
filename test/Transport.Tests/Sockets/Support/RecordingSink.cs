using LoopBridge.Drivers;
using LoopBridge.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>
/// A sink that checks what it is told: on the loop, outside any context, nothing after the close; and received bytes against
/// <see cref="Pattern"/>.
/// </summary>
internal sealed class RecordingSink(StreamSocket socket) : ISocketSink
{
    private readonly TaskCompletionSource<Exception?> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _endOfStream = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _drained = new(0);
    private readonly byte[] _buffer = new byte[16384];
    private string? _complaint;
    private int _closedCalls;
    private long _received;

    internal StreamSocket Socket => socket;

    /// <summary>Read on the loop's thread only.</summary>
    internal bool Paused { get; set; }

    internal Action? Receivable { get; set; }

    internal Action? Drained { get; set; }

    internal Action<Exception?>? Closing { get; set; }

    internal long Received => Volatile.Read(ref _received);

    internal int DrainedCalls { get; private set; }

    internal Task<Exception?> Closed => _closed.Task.WithDeadline();

    internal Task EndOfStream => _endOfStream.Task.WithDeadline();

    internal Task Finished => _finished.Task.WithDeadline();

    public void OnReceivable()
    {
        Check(nameof(OnReceivable));
        Receivable?.Invoke();
        if (!Paused)
        {
            ReceiveAll();
        }
    }

    public void OnSendDrained()
    {
        Check(nameof(OnSendDrained));
        DrainedCalls++;
        Drained?.Invoke();
        _drained.Release();
    }

    public void OnSendFinished()
    {
        Check(nameof(OnSendFinished));
        _finished.SetResult();
    }

    public void OnClosed(Exception? reason)
    {
        Check(nameof(OnClosed));
        _closedCalls++;
        Closing?.Invoke(reason);
        _drained.Release();
        _closed.TrySetResult(reason);
    }

    internal void ReceiveAll()
    {
        while (!Paused)
        {
            IoResult result = socket.Receive(_buffer);
            if (!result.IsOk)
            {
                return;
            }

            if (result.Count == 0)
            {
                _endOfStream.TrySetResult();
                return;
            }

            if (!Pattern.Matches(_received, _buffer.AsSpan(0, result.Count)))
            {
                _complaint ??= $"Other bytes than were sent came at {_received}.";
            }

            Volatile.Write(ref _received, _received + result.Count);
        }
    }

    internal Task WaitDrainedAsync() => _drained.WaitAsync().WithDeadline();

    internal void Verify()
    {
        Assert.Null(_complaint);
        Assert.Equal(1, _closedCalls);
    }

    private void Check(string call)
    {
        if (!socket.Loop.IsOnLoopThread)
        {
            _complaint ??= $"{call} came off the loop.";
        }

        if (SynchronizationContext.Current is not null)
        {
            _complaint ??= $"{call} came with a synchronization context.";
        }

        if (_closedCalls > 0)
        {
            _complaint ??= $"{call} came after OnClosed.";
        }
    }
}
