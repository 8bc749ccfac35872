using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Loops.Guests;

/// <summary>A guest of the test's making, which tells when it begins, when it loses the loop, and when it has ended.</summary>
internal sealed class TestGuest(Action? run = null, Action? overtaken = null) : ILoopGuest
{
    private readonly TaskCompletionSource _began = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Task Began => _began.Task.WithDeadline();

    internal Task Lost => _lost.Task.WithDeadline();

    internal Task Ended => _ended.Task.WithDeadline();

    internal bool HasLost => _lost.Task.IsCompleted;

    internal Action? Crowded { get; init; }

    internal Thread? Thread { get; private set; }

    public string? Origin => "endpoint";

    /// <summary>One that has the thread until the test lets it go.</summary>
    internal static TestGuest Blocking(ManualResetEventSlim release) => new(() => Assert.True(release.Wait(Deadline.Default)));

    public void Run()
    {
        Thread = System.Threading.Thread.CurrentThread;
        _began.TrySetResult();
        try
        {
            run?.Invoke();
        }
        finally
        {
            _ended.TrySetResult();
        }
    }

    public void OnOvertaken()
    {
        overtaken?.Invoke();
        _lost.TrySetResult();
    }

    public void OnCrowded() => Crowded?.Invoke();
}
