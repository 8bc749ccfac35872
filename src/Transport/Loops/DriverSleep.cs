using LoopBridge.Drivers;

namespace LoopBridge.Loops;

/// <summary>
/// The understanding between a dispatcher that sleeps in its driver and those who bring it work, so that none sleeps over work and a burst
/// costs one system call.
/// </summary>
/// <remarks>
/// The sleeper announces its sleep and then looks for work once more; who brings work leaves it and then asks whether anybody sleeps. Both
/// have a full fence in between, so at least one of them sees the other.
/// </remarks>
internal sealed class DriverSleep(IIoDriver driver)
{
    private int _asleep;

    /// <summary>From here on work that is brought wakes. The caller looks for work after this and waits only if there is none.</summary>
    internal void Announce() => Interlocked.Exchange(ref _asleep, 1);

    internal void End() => Volatile.Write(ref _asleep, 0);

    /// <summary>After work was left with a full fence, such as a ticket of a <see cref="CallbackQueue"/>. Any thread.</summary>
    internal void WakeForQueued()
    {
        if (Volatile.Read(ref _asleep) == 1)
        {
            Wake();
        }
    }

    /// <summary>After work was left in any other way, such as a flag. Any thread.</summary>
    internal void Wake()
    {
        Interlocked.MemoryBarrier();

        // The first one since the sleep was announced wakes; the others find it awake.
        if (Volatile.Read(ref _asleep) == 1 && Interlocked.Exchange(ref _asleep, 0) == 1)
        {
            driver.Wake();
        }
    }
}
