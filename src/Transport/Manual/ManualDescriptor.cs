using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Manual;

/// <summary>
/// A descriptor with nothing behind it, for handlers under test: the test says what it is ready for, and <see cref="ManualLoop"/> calls
/// the handler that <see cref="IEventLoop.AddHandler"/> gave it, in each turn in which it still is.
/// </summary>
/// <remarks>Its number is negative, so that it never is the number of a real one. Use it on the loop's thread.</remarks>
public sealed class ManualDescriptor : SafeHandle
{
    private static long _lastNumber = -1;

    /// <summary>Makes a descriptor that is ready for nothing.</summary>
    public ManualDescriptor()
        : base(-1, ownsHandle: true)
        => SetHandle((nint)Interlocked.Decrement(ref _lastNumber));

    /// <summary>
    /// What it is ready for until this is set again: a level, as poll(2) has it, and not an event. Defaults to <see cref="IoEvents.None"/>.
    /// </summary>
    public IoEvents Ready { get; set; }

    /// <inheritdoc />
    public override bool IsInvalid => false;

    /// <inheritdoc />
    protected override bool ReleaseHandle() => true;
}
