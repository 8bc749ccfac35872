using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using Microsoft.Win32.SafeHandles;

namespace LoopBridge.Reactors;

/// <summary>
/// Descriptors that the driver refuses because nothing can be waited for: regular files, and devices such as the null device, can be read
/// and written at any time. Each that waits for something is told so once in every turn; while there is one, the reactor does not sleep.
/// Reactor thread.
/// </summary>
internal sealed class AlwaysReadySet(ReactorBase reactor)
{
    private static readonly Action<object?> TurnAction = static set => ((AlwaysReadySet)set!).Turn();

    private readonly Dictionary<nint, Entry> _entries = [];
    private readonly List<Entry> _pass = [];
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

    /// <exception cref="InvalidOperationException">The number is in here already, for another object.</exception>
    internal void Add(SafeHandle descriptor, IoEvents interest, Action<SafeHandle, IoEvents> handler)
    {
        // As a driver does: the number cannot pass to somebody else while it is watched.
        bool referenced = false;
        descriptor.DangerousAddRef(ref referenced);
        nint number = descriptor.DangerousGetHandle();
        if (!_entries.TryAdd(number, new Entry(descriptor, handler) { Interest = interest }))
        {
            descriptor.DangerousRelease();
            throw new InvalidOperationException($"The descriptor {number} is watched for another object: remove that one first.");
        }

        RequestTurn();
    }

    /// <summary>False if it is not one of these.</summary>
    internal bool TryChange(SafeHandle descriptor, IoEvents interest)
    {
        if (Find(descriptor) is not { } entry)
        {
            return false;
        }

        entry.Interest = interest;
        RequestTurn();
        return true;
    }

    /// <summary>False if it is not one of these.</summary>
    internal bool TryRemove(SafeHandle descriptor)
    {
        if (Find(descriptor) is not { } entry)
        {
            return false;
        }

        _entries.Remove(descriptor.DangerousGetHandle());
        entry.Interest = IoEvents.None;
        descriptor.DangerousRelease();
        return true;
    }

    private Entry? Find(SafeHandle descriptor)
        => _entries.TryGetValue(descriptor.DangerousGetHandle(), out Entry? entry) && ReferenceEquals(entry.Descriptor, descriptor)
            ? entry
            : null;

    private void RequestTurn()
    {
        if (!_isTurnDue && WaitsForAnything())
        {
            // The reactor's own call: the ambient context of whoever added the first is no business of it.
            AsyncFlowControl? suppressed = ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
            try
            {
                _isTurnDue = reactor.Post(TurnAction, this);
            }
            finally
            {
                suppressed?.Undo();
            }
        }
    }

    private bool WaitsForAnything()
    {
        foreach (Entry entry in _entries.Values)
        {
            if (entry.Interest != IoEvents.None)
            {
                return true;
            }
        }

        return false;
    }

    private void Turn()
    {
        _isTurnDue = false;
        RequestTurn();
        SynchronizationContext? context = SynchronizationContext.Current;
        _pass.AddRange(_entries.Values); // one that comes meanwhile is the next turn's
        foreach (Entry entry in _pass)
        {
            // None by now if one before it in this turn has removed it.
            if (entry.Interest != IoEvents.None)
            {
                SynchronizationContext.SetSynchronizationContext(context); // the one before may have put in another
                entry.Handler(entry.Descriptor, entry.Interest); // has its guard
            }
        }

        _pass.Clear();
    }

    private sealed class Entry(SafeHandle descriptor, Action<SafeHandle, IoEvents> handler)
    {
        internal SafeHandle Descriptor => descriptor;

        internal Action<SafeHandle, IoEvents> Handler => handler;

        internal IoEvents Interest { get; set; }
    }
}
