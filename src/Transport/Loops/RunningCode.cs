using System.Runtime.CompilerServices;
using LoopBridge.Drivers;

namespace LoopBridge.Loops;

/// <summary>Finds words for what a loop runs, for the watchdog's report. Any thread.</summary>
internal static class RunningCode
{
    // Longer than any row there is; and it is read while others change it.
    private const int LongestRow = 16;

    /// <param name="present">As <see cref="LoopActivity"/> has it.</param>
    internal static string Describe((object? Running, object? State) present)
        => Walk(Source(present.Running, present.State));

    /// <summary>Where the row begins: whichever of the two knows more of the user.</summary>
    internal static object? Source(object? callback, object? state)
        => state is IOnBehalf || MachineOf(state) is not null ? state
            : callback is null or IOnBehalf ? callback
            : CallbackSource.Of(callback, state);

    private static string Walk(object? current)
    {
        string? label = null;
        object? last = current;
        for (int i = 0; i < LongestRow && Onwards(current) is { } step; i++)
        {
            label = LabelOf(step) ?? label;
            current = step.Behalf;
            last = current ?? last;
        }

        string name = NameOf(last);
        return label is null ? name : $"{name} ({label})";
    }

    private static IOnBehalf? Onwards(object? current) => current as IOnBehalf ?? (current as Delegate)?.Target as IOnBehalf;

    private static string? LabelOf(IOnBehalf step)
    {
        try
        {
            return step.Label;
        }
        catch (ObjectDisposedException)
        {
            return null; // it runs while we ask, and may just have closed what it would be called by
        }
    }

    private static string NameOf(object? last) => last switch
    {
        null => "Something",
        string text => text,
        Type type => type.FullName ?? type.Name,
        Delegate callback => AsyncMethod(callback.Target) ?? SourceName.Of(callback)!.ToString()!,
        _ => AsyncMethod(last) ?? NameOf(last.GetType()),
    };

    // What continues after an await is a box around a state machine, whose name holds the method's: Namespace.Type+<Method>d__3.
    private static string? AsyncMethod(object? box)
        => MachineOf(box) is { Name: ['<', .. var rest] } machine && rest.IndexOf('>', StringComparison.Ordinal) is > 0 and var end
            ? $"{machine.DeclaringType?.FullName}.{rest[..end]}"
            : null;

    private static Type? MachineOf(object? box)
        => Array.Find(box?.GetType().GenericTypeArguments ?? [], static type => type.IsAssignableTo(typeof(IAsyncStateMachine)));
}
