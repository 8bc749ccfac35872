using System.Net.Sockets;
using System.Runtime.InteropServices;
using LoopBridge.Interop;

namespace LoopBridge.Drivers.Epoll;

/// <summary>The epoll(7) mechanism of Linux, woken through an eventfd(2).</summary>
/// <remarks>
/// Edge-triggered sockets are registered once, for both directions, for their whole life: no <c>epoll_ctl</c> per operation. What makes
/// that safe is that the channel goes on until an operation would block (or came back short), and that the kernel reports an edge again
/// whenever new data or new room arrives.
/// <para>A descriptor's number is only lent: once closed, the next socket may get it, while an event for the old one already lies in our
/// buffer. The registration therefore keeps its handle referenced, and each event carries slot and generation; a slot that was freed since
/// has another generation.</para>
/// </remarks>
internal sealed unsafe class EpollDriver : IIoDriver, IReadinessSource
{
    // One wait brings at most so many events; the rest comes with the next one. 256 keeps a turn short and the buffer in the first-level
    // cache.
    private const int MaxEvents = 256;
    private const ulong WakeUpData = ulong.MaxValue;

    // What an edge-triggered registration hears as a hang-up: from here on a short read does not mean that all has been read. Urgent data
    // is of this kind, because a read stops at its mark and no edge tells of what lies behind.
    private const uint HangUpOnChange = LibC.EPOLLHUP | LibC.EPOLLRDHUP | LibC.EPOLLPRI;

    private readonly DescriptorHandle _epoll;
    private readonly DescriptorHandle _wakeUp;
    private readonly byte* _events;
    private EpollRegistration?[] _slots = new EpollRegistration?[64];
    private uint[] _generations = new uint[64];
    private readonly Stack<int> _freeSlots = new();
    private int _slotCount;
    private int _eventCount;
    private int _cursor;
    private IIoHandler? _called;

    internal EpollDriver()
    {
        _epoll = new DescriptorHandle(LibC.EpollCreate().OrThrow("epoll_create1"));
        _wakeUp = new DescriptorHandle(LibC.EventFd().OrThrow("eventfd"));
        _events = (byte*)NativeMemory.Alloc((nuint)(MaxEvents * LibC.EpollEvents.Size));

        // Edge-triggered: each write is an edge of its own, so the counter never has to be read back.
        LibC.EpollControl(_epoll.Number, LibC.EPOLL_CTL_ADD, _wakeUp.Number, LibC.EPOLLIN | LibC.EPOLLET, WakeUpData).OrThrow("epoll_ctl(eventfd)");
    }

    public string Name => "epoll";

    object? IOnBehalf.Behalf => Volatile.Read(ref _called);

    internal static bool IsSupported => OperatingSystem.IsLinux();

    /// <summary>For who watches through others, and must not take what only seems to be watched.</summary>
    /// <exception cref="IOException">The descriptor is bad, or cannot be waited for, such as a regular file (epoll_ctl(2): EPERM).</exception>
    internal static void ThrowIfRefused(SafeHandle descriptor)
    {
        using var epoll = new DescriptorHandle(LibC.EpollCreate().OrThrow("epoll_create1"));
        int number = (int)descriptor.DangerousGetHandle();
        LibC.EpollControl(epoll.Number, LibC.EPOLL_CTL_ADD, number, events: 0, data: 0).OrThrow($"epoll_ctl(ADD, {number})");
    }

    internal int RegistrationCount => _slotCount - _freeSlots.Count;

    public RawSocket CreateSocket(AddressFamily family) => PosixSocket.Create(family);

    public RawSocket AdoptSocket(nint descriptor, bool ownsDescriptor) => PosixSocket.Adopt(descriptor, ownsDescriptor);

    public RawSocket AdoptSocket(Socket socket) => PosixSocket.Adopt(socket);

    public IStreamChannel OpenStream(RawSocket socket)
        => new ReadinessChannel(socket, this);

    IoRegistration IReadinessSource.Watch(RawSocket socket, IIoHandler handler)
        => Add(socket.Handle, IoEvents.Read | IoEvents.Write, IoTrigger.OnChange, handler);

    public IListenChannel OpenListener(RawSocket socket)
        => new ReadinessListener(socket, listener => Add(socket.Handle, IoEvents.Read, IoTrigger.OnChange, listener));

    public IoRegistration Add(SafeHandle descriptor, IoEvents interest, IoTrigger trigger, IIoHandler handler)
    {
        ObjectDisposedException.ThrowIf(_epoll.IsClosed, this);
        if (trigger == IoTrigger.Any)
        {
            trigger = IoTrigger.OnChange; // by level, the kernel asks each descriptor it has reported again in the next wait
        }

        bool referenced = false;
        descriptor.DangerousAddRef(ref referenced);
        int slot = _freeSlots.Count > 0 ? _freeSlots.Pop() : NextSlot();
        var registration = new EpollRegistration(this, descriptor, trigger, handler, slot);
        PosixResult result = LibC.EpollControl(
            _epoll.Number, LibC.EPOLL_CTL_ADD, registration.Number, Mask(interest, trigger), Data(slot));
        if (!result.IsOk)
        {
            _freeSlots.Push(slot);
            descriptor.DangerousRelease();
            result.OrThrow($"epoll_ctl(ADD, {registration.Number})");
        }

        _slots[slot] = registration;
        return registration;
    }

    public void Wait(TimeSpan timeout)
    {
        _cursor = 0;
        _eventCount = 0;
        _called = null;
        PosixResult result = LibC.EpollWait(_epoll.Number, _events, MaxEvents, ToMilliseconds(timeout));
        if (result.IsOk)
        {
            _eventCount = result.Value;
        }
        else if (result.Error != Errno.EINTR) // a signal handler ran on this thread: an empty wait
        {
            result.OrThrow("epoll_wait");
        }
    }

    public bool DispatchNext()
    {
        while (_cursor < _eventCount)
        {
            int index = _cursor++;
            ulong data = LibC.EpollEvents.Data(_events, index);
            if (data == WakeUpData)
            {
                continue;
            }

            int slot = (int)(uint)data;
            if (_slots[slot] is { } registration && _generations[slot] == (uint)(data >> 32))
            {
                _called = registration.Handler;
                registration.Handler.OnEvents(ToEvents(LibC.EpollEvents.Events(_events, index), registration.Trigger));
                return true;
            }
        }

        return false;
    }

    public void Wake()
    {
        bool referenced = false;
        try
        {
            _wakeUp.DangerousAddRef(ref referenced);
            _ = LibC.EventFdSignal(_wakeUp.Number); // EAGAIN: the counter is full, so the loop is being woken anyway
        }
        catch (ObjectDisposedException)
        {
            // Expected when a post races with the end of the loop: nobody is left to wake.
        }
        finally
        {
            if (referenced)
            {
                _wakeUp.DangerousRelease();
            }
        }
    }

    public void Dispose()
    {
        if (_epoll.IsClosed)
        {
            return;
        }

        _eventCount = 0;
        foreach (EpollRegistration? registration in _slots)
        {
            registration?.Remove();
        }

        _wakeUp.Dispose();
        _epoll.Dispose();
        NativeMemory.Free(_events);
    }

    private int NextSlot()
    {
        if (_slotCount == _slots.Length)
        {
            Array.Resize(ref _slots, _slotCount * 2);
            Array.Resize(ref _generations, _slotCount * 2);
        }

        return _slotCount++;
    }

    private ulong Data(int slot) => ((ulong)_generations[slot] << 32) | (uint)slot;

    private static uint Mask(IoEvents interest, IoTrigger trigger)
    {
        uint mask = (interest & IoEvents.Read) != 0 ? LibC.EPOLLIN : 0;
        mask |= (interest & IoEvents.Write) != 0 ? LibC.EPOLLOUT : 0;
        return trigger == IoTrigger.OnChange ? mask | LibC.EPOLLRDHUP | LibC.EPOLLPRI | LibC.EPOLLET : mask;
    }

    private static IoEvents ToEvents(uint native, IoTrigger trigger)
    {
        IoEvents events = (native & LibC.EPOLLIN) != 0 ? IoEvents.Read : IoEvents.None;
        events |= (native & LibC.EPOLLOUT) != 0 ? IoEvents.Write : IoEvents.None;
        events |= (native & LibC.EPOLLERR) != 0 ? IoEvents.Error : IoEvents.None;
        uint hangUp = trigger == IoTrigger.OnChange ? HangUpOnChange : LibC.EPOLLHUP;
        events |= (native & hangUp) != 0 ? IoEvents.HangUp : IoEvents.None;
        return events;
    }

    // Rounded up, because waking a fraction early means another turn for nothing until the time has come.
    private static int ToMilliseconds(TimeSpan timeout)
        => timeout < TimeSpan.Zero ? -1 : (int)Math.Min(Math.Ceiling(timeout.TotalMilliseconds), int.MaxValue);

    private sealed class EpollRegistration(EpollDriver driver, SafeHandle descriptor, IoTrigger trigger, IIoHandler handler, int slot)
        : IoRegistration
    {
        private bool _removed;

        // Referenced by the registration until it is removed, and so the same.
        internal int Number => (int)descriptor.DangerousGetHandle();

        internal IoTrigger Trigger => trigger;

        internal IIoHandler Handler => handler;

        internal override void Update(IoEvents interest)
        {
            PosixResult result = LibC.EpollControl(
                driver._epoll.Number, LibC.EPOLL_CTL_MOD, Number, Mask(interest, trigger), driver.Data(slot));
            if (!result.IsOk)
            {
                result.OrThrow($"epoll_ctl(MOD, {Number})"); // the text costs an object, and this may be for each read
            }
        }

        internal override void Arm(IoEvents direction)
        {
            // The kernel keeps edges by itself.
        }

        internal override void Remove()
        {
            if (_removed)
            {
                return;
            }

            _removed = true;
            driver._slots[slot] = null;
            driver._generations[slot]++;
            driver._freeSlots.Push(slot);

            // Before the close, because a duplicate of the descriptor elsewhere would keep it in the set (epoll(7), question 6). It may
            // fail only if somebody closed the number behind the handle's back, and then it is gone from the set already.
            _ = LibC.EpollControl(driver._epoll.Number, LibC.EPOLL_CTL_DEL, Number, 0, 0);
            descriptor.DangerousRelease();
        }
    }
}
