using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using Microsoft.Win32.SafeHandles;

namespace LoopBridge.Reactors;

/// <summary>
/// Descriptors that the driver refuses because nothing can be waited for: regular files, and devices such as the null device, can be read
/// and written at any time. Each is told so once in every turn; while there is one, the reactor does not sleep. Reactor thread.
/// </summary>
internal sealed class AlwaysReadySet(ReactorBase reactor)
{
    private static readonly Action<object?> TurnAction = static set => ((AlwaysReadySet)set!).Turn();

    private readonly Dictionary<SafeHandle, Entry> _entries = new(ReferenceEqualityComparer.Instance);
    private bool _isTurnDue;

    /// <summary>Whether it is of that kind: it has a position.</summary>
    internal static bool Suits(SafeHandle descriptor)
    {
        // Only a file handle can be asked, and this one may be of any kind. The new one owns nothing.
        using var file = new SafeFileHandle(descriptor.DangerousGetHandle(), ownsHandle: false);
        try
        {
            RandomAccess.GetLength(file);
            return true;
        }
        catch (Exception e) when (e is NotSupportedException or IOException or UnauthorizedAccessException)
        {
            return false; // a pipe, a socket, a terminal
        }
    }

    internal void Add(SafeHandle descriptor, IoEvents interest, Action<SafeHandle, IoEvents> handler)
    {
        bool referenced = false;
        descriptor.DangerousAddRef(ref referenced);
        _entries.Add(descriptor, new Entry(handler) { Interest = interest });
        RequestTurn();
    }

    /// <summary>False if it is not one of these.</summary>
    internal bool TryChange(SafeHandle descriptor, IoEvents interest)
    {
        if (!_entries.TryGetValue(descriptor, out Entry? entry))
        {
            return false;
        }

        entry.Interest = interest;
        return true;
    }

    /// <summary>False if it is not one of these.</summary>
    internal bool TryRemove(SafeHandle descriptor)
    {
        if (!_entries.Remove(descriptor, out Entry? entry))
        {
            return false;
        }

        entry.Interest = IoEvents.None;
        descriptor.DangerousRelease();
        return true;
    }

    private void RequestTurn()
    {
        if (!_isTurnDue && _entries.Count > 0)
        {
            using FlowSuppression noFlow = FlowSuppression.Begin(); // it is the reactor's call, not that of whoever added the first
            _isTurnDue = reactor.Post(TurnAction, this);
        }
    }

    private void Turn()
    {
        _isTurnDue = false;
        RequestTurn();
        foreach ((SafeHandle descriptor, Entry entry) in _entries.ToArray())
        {
            // None by now if one before it in this turn has removed it.
            if (entry.Interest != IoEvents.None)
            {
                entry.Handler(descriptor, entry.Interest);
            }
        }
    }

    private sealed class Entry(Action<SafeHandle, IoEvents> handler)
    {
        internal Action<SafeHandle, IoEvents> Handler => handler;

        internal IoEvents Interest { get; set; }
    }
}
