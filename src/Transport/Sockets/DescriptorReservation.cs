using System.ComponentModel;
using System.Runtime.InteropServices;
using LoopBridge.Interop;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Sockets;

/// <summary>
/// A descriptor that is held for the moment when there is no other: given back to the system it lets a listener accept its waiting clients
/// one by one and close them, so that they learn at once that they are not served. Descends from Twisted's
/// <c>_FileDescriptorReservation</c>.
/// </summary>
/// <remarks>
/// The limit is the process's, so one reservation serves all listeners of all loops (R-TCPP-03), for as long as any of them wants it.
/// <see cref="DescriptorHeadroom"/> looks ahead and usually leaves enough to turn clients away without it; but whatever else opens
/// descriptors knows nothing of that.
/// </remarks>
/// <param name="open">Opens a descriptor that means nothing.</param>
internal sealed class DescriptorReservation(Func<PosixResult> open) : IDisposable
{
    private readonly Lock _lock = new();
    private SafeHandle? _held;
    private int _users;

    /// <summary>That of the process.</summary>
    internal static DescriptorReservation Process { get; } = new(LibC.EventFd);

    /// <summary>Whether there is a descriptor to give back now.</summary>
    internal bool IsHeld
    {
        get
        {
            lock (_lock)
            {
                return _held is not null;
            }
        }
    }

    /// <summary>One more listener wants it held. Does nothing where there is nothing to reserve (not Linux).</summary>
    internal void AddUser(ILogger logger)
    {
        if (OperatingSystem.IsLinux())
        {
            lock (_lock)
            {
                _users++;
                Reserve(logger);
            }
        }
    }

    /// <summary>A listener is closed; the last one's end gives the descriptor back.</summary>
    internal void RemoveUser()
    {
        lock (_lock)
        {
            if (_users > 0 && --_users == 0)
            {
                Free();
            }
        }
    }

    /// <summary>
    /// Runs <paramref name="action"/> while the descriptor is given back, and takes it again whatever happens. Listeners wait for each
    /// other: there is one descriptor. What the action logs is held back until then, for a logger may need a descriptor, too.
    /// </summary>
    /// <exception cref="InvalidOperationException">Nothing is reserved.</exception>
    internal void Use(Action<ILogger> action, ILogger logger)
    {
        if (!TryUse(action, logger))
        {
            throw new InvalidOperationException("No descriptor is reserved.");
        }
    }

    /// <summary>As <see cref="Use"/>; false: nothing is reserved.</summary>
    internal bool TryUse(Action<ILogger> action, ILogger logger)
    {
        var heldBack = new HeldBackLog(logger);
        lock (_lock)
        {
            if (_held is null)
            {
                return false;
            }

            Free();
            try
            {
                action(heldBack);
            }
            finally
            {
                TakeAgain(heldBack);
                heldBack.Flush();
            }

            return true;
        }
    }

    /// <summary>Reserves one if somebody wants it and there is none. Silent: false says that there is none still.</summary>
    internal bool TryReserve()
    {
        lock (_lock)
        {
            if (_held is null && _users > 0 && open() is { IsOk: true } result)
            {
                _held = new DescriptorHandle(result.Value);
            }

            return _held is not null;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _users = 0;
            Free();
        }
    }

    private void Reserve(ILogger logger)
    {
        if (_held is not null)
        {
            return;
        }

        PosixResult result = open();
        if (result.IsOk)
        {
            _held = new DescriptorHandle(result.Value);
        }
        else if (result.Error is Errno.EMFILE or Errno.ENFILE)
        {
            logger.ReservationFailed(); // expected: the process has none left, which is what the listener will find, too
        }
        else
        {
            throw new IOException($"No descriptor can be reserved: {result.Error}.", new Win32Exception((int)result.Error));
        }
    }

    private void TakeAgain(ILogger logger)
    {
        try
        {
            Reserve(logger);
        }
        catch (IOException e)
        {
            logger.ReservationLost(e); // must not hide what the action threw
        }
    }

    private void Free()
    {
        _held?.Dispose();
        _held = null;
    }
}
