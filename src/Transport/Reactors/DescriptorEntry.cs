using System.Runtime.InteropServices;
using LoopBridge.Drivers;

namespace LoopBridge.Reactors;

/// <summary>
/// One descriptor number with up to two owners, one for each direction; often the same object. Both share one watch, whose interest is
/// what the owners ask for.
/// </summary>
/// <remarks>
/// An entry ends when its last owner leaves, and the next registration of the number is another entry. So an event that was collected for
/// this one finds no owner here and is dropped, whoever has the number by then.
/// </remarks>
internal sealed class DescriptorEntry : IOnBehalf
{
    private readonly DescriptorSet _set;
    private readonly ReactorBase _reactor;
    private readonly SafeHandle _watched;
    private Side _read;
    private Side _write;
    private IoEvents _interest;

    internal DescriptorEntry(DescriptorSet set, ReactorBase reactor, SafeHandle handle)
    {
        _set = set;
        _reactor = reactor;
        _watched = handle;
        Number = handle.DangerousGetHandle();
    }

    internal nint Number { get; }

    object? IOnBehalf.Behalf => Reader ?? Writer;

    internal IDescriptor? Reader => _read.Owner;

    internal IDescriptor? Writer => _write.Owner;

    internal bool IsEmpty => _read.Owner is null && _write.Owner is null;

    /// <summary>Its owners have been told of their loss; what a callback below us on the stack may still return is no news.</summary>
    internal bool IsLost { get; set; }

    /// <summary>Takes a direction. Refused, everything is as before.</summary>
    /// <returns>
    /// Whether the caller's reference on <paramref name="handle"/> is this entry's from now on: on the watched handle the watch has one of
    /// its own.
    /// </returns>
    internal bool Occupy(IoEvents direction, IDescriptor owner, SafeHandle handle)
    {
        ref Side side = ref SideOf(direction);
        if (side.Owner is not null)
        {
            throw new InvalidOperationException($"Another object has the descriptor {Number} for {direction}: remove that one first.");
        }

        if (_interest == IoEvents.None)
        {
            _reactor.BeginWatch(_watched, direction, IoTrigger.WhileReady, OnEvents);
        }
        else
        {
            _reactor.ChangeWatch(_watched, _interest | direction);
        }

        _interest |= direction;
        side = new Side(owner, ReferenceEquals(handle, _watched) ? null : handle);
        return side.Handle is not null;
    }

    internal void Vacate(IoEvents direction)
    {
        ref Side side = ref SideOf(direction);
        SafeHandle? handle = side.Handle;
        side = default;
        _interest &= ~direction;
        try
        {
            if (_interest == IoEvents.None)
            {
                _reactor.EndWatch(_watched);
            }
            else
            {
                _reactor.ChangeWatch(_watched, _interest);
            }
        }
        finally
        {
            handle?.DangerousRelease();
        }
    }

    /// <summary>Ends the watch and gives both directions back at once.</summary>
    internal void End()
    {
        (SafeHandle? read, SafeHandle? write) = (_read.Handle, _write.Handle);
        _read = default;
        _write = default;
        _interest = IoEvents.None;
        try
        {
            _reactor.EndWatch(_watched);
        }
        finally
        {
            read?.DangerousRelease();
            write?.DangerousRelease();
        }
    }

    // Loop or dispatcher, on the reactor's thread. Nothing of the user's may unwind from here.
    private void OnEvents(SafeHandle descriptor, IoEvents events)
    {
        Serve(events);
        _reactor.OnServed();
    }

    private void Serve(IoEvents events)
    {
        IDescriptor? reader = Reader;
        IDescriptor? writer = Writer;
        if ((events & (IoEvents.Error | IoEvents.HangUp)) != 0 && (events & IoEvents.Read) == 0)
        {
            // Nothing is left to drain (with Read, the read finds the end in its time: R-FD-17). A reader sees a clean end, a writer a
            // loss (R-FD-18).
            if (reader is not null)
            {
                _set.Lose(this, reader, IoEvents.Read, new ConnectionDoneException());
            }
            else if (writer is not null)
            {
                _set.Lose(this, writer, IoEvents.Write, new ConnectionLostException());
            }

            return;
        }

        if ((events & IoEvents.Read) != 0 && reader is not null && !Call(reader, IoEvents.Read))
        {
            return;
        }

        // Asked again: the read may have removed the writer, or put another in its place (R-FD-15).
        if ((events & IoEvents.Write) != 0 && writer is not null && ReferenceEquals(Writer, writer))
        {
            Call(writer, IoEvents.Write);
        }
    }

    /// <summary>False if it ended.</summary>
    private bool Call(IDescriptor owner, IoEvents direction)
    {
        Exception? reason;
        using IDisposable? scope = _reactor.BeginScope(owner);
        try
        {
            reason = HasMoved(owner) ? Moved()
                : direction == IoEvents.Read ? ((IReadDescriptor)owner).DoRead()
                : ((IWriteDescriptor)owner).DoWrite();
            if (reason is null && ReferenceEquals(SideOf(direction).Owner, owner) && HasMoved(owner))
            {
                reason = Moved();
            }
        }
        catch (Exception e)
        {
            // User code. Left registered, it would fail for ever (R-FD-20).
            _reactor.Report(e, owner);
            _set.LoseAll(this, owner, e);
            return false;
        }

        if (reason is not null)
        {
            _set.Lose(this, owner, direction, reason);
        }

        return reason is null;
    }

    // Closed, or exchanged for another, while registered (R-FD-08).
    private bool HasMoved(IDescriptor owner)
        => owner.Handle is var handle && (handle.IsClosed || handle.IsInvalid || handle.DangerousGetHandle() != Number);

    private static ConnectionLostException Moved() => new("The descriptor was closed or exchanged while the reactor watched it.");

    private ref Side SideOf(IoEvents direction) => ref direction == IoEvents.Read ? ref _read : ref _write;

    /// <param name="Owner">Who has the direction.</param>
    /// <param name="Handle">The handle it came with, referenced, if that is not the watched one.</param>
    private readonly record struct Side(IDescriptor? Owner, SafeHandle? Handle);
}
