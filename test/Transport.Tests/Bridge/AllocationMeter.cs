using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Bridge;

/// <summary>What one thread allocates from the moment that it asks for operations until they all have run.</summary>
/// <param name="post">Runs something in a later turn of that thread, at no price.</param>
/// <param name="operate">One operation. What it has run calls <see cref="CountAction"/>, or it calls <see cref="Count"/> itself.</param>
internal sealed class AllocationMeter(Action<Action<object?>, object?> post, Action<AllocationMeter> operate)
{
    internal static readonly Action<object?> CountAction = static meter => ((AllocationMeter)meter!).Count();

    /// <summary>Bytes of a loop's timeout on a reactor, and of the reactor's delayed call behind it.</summary>
    internal const int HandlesOfALoopOnAReactor = 168;

    private const int Operations = 500;
    private static readonly Action<object?> BeginAction = static meter => ((AllocationMeter)meter!).Begin();
    private static readonly Action<object?> CheckAction = static meter => ((AllocationMeter)meter!).Check();

    private readonly TaskCompletionSource<long> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _windows = 6;
    private int _ran;
    private long _before;
    private long _least = long.MaxValue;

    /// <summary>Bytes for each operation, of the best of several windows: the first ones fill pools and grow lists.</summary>
    internal async Task<double> MeasureAsync()
    {
        post(BeginAction, this);
        return await _done.Task.WithDeadline() / (double)Operations;
    }

    internal void Count() => _ran++;

    private void Begin()
    {
        _ran = 0;
        _before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Operations; i++)
        {
            operate(this);
        }

        post(CheckAction, this);
    }

    private void Check()
    {
        if (_ran < Operations)
        {
            post(CheckAction, this);
            return;
        }

        _least = Math.Min(_least, GC.GetAllocatedBytesForCurrentThread() - _before);
        if (--_windows == 0)
        {
            _done.SetResult(_least);
        }
        else
        {
            Begin();
        }
    }
}
