using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using LoopBridge.Loops;

namespace LoopBridge.Coordination;

/// <summary>What <see cref="LoopTasks.Moment"/> gives: awaiting it goes on in the loop's next turn.</summary>
[SuppressMessage("Performance", "CA1815:Override equals and operator equals on value types", Justification = "Nobody compares moments.")]
public readonly struct LoopMoment : ICriticalNotifyCompletion
{
    private readonly IEventLoop _loop;

    internal LoopMoment(IEventLoop loop) => _loop = loop;

    /// <summary>Never: the point is to let others run.</summary>
    public bool IsCompleted => false;

    /// <summary>Itself, for the compiler.</summary>
    public LoopMoment GetAwaiter() => this;

    /// <summary>Does nothing, for the compiler.</summary>
    public void GetResult()
    {
    }

    /// <summary>Runs an action in the loop's next turn, or never if the loop is closed. Any thread.</summary>
    /// <param name="continuation">The action.</param>
    public void OnCompleted(Action continuation) => _loop.AddCallback(continuation);

    /// <inheritdoc cref="OnCompleted"/>
    public void UnsafeOnCompleted(Action continuation) => _loop.AddCallback(continuation);
}
