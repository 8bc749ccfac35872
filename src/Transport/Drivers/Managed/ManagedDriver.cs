using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace LoopBridge.Drivers.Managed;

/// <summary>
/// The mechanism that .NET has everywhere:
/// <see cref="Socket.Select(System.Collections.IList?, System.Collections.IList?, System.Collections.IList?, TimeSpan)"/>, woken through a
/// socket.
/// </summary>
/// <remarks>
/// Select reports levels. An <see cref="IoTrigger.OnChange"/> registration is therefore asked about only in the directions that were armed,
/// and disarmed by each report: a paused connection is not in the lists and cannot spin the loop. Each wait costs time in proportion to the
/// sockets armed; this driver is for portability, not for ten thousand connections.
/// <para>It watches sockets only, because that is what Select takes.</para>
/// </remarks>
internal sealed class ManagedDriver : IIoDriver, IReadinessSource
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(30);

    private readonly List<ManagedRegistration> _registrations = [];
    private readonly Dictionary<Socket, ManagedRegistration> _bySocket = [];
    private readonly List<Socket> _read = [];
    private readonly List<Socket> _write = [];
    private readonly List<Socket> _error = [];
    private readonly List<(ManagedRegistration Registration, IoEvents Events)> _events = [];
    private readonly SelfSocket _self = new();
    private int _cursor;
    private IIoHandler? _called;
    private volatile bool _disposed;

    public string Name => "managed";

    object? IOnBehalf.Behalf => Volatile.Read(ref _called);

    internal int RegistrationCount => _registrations.Count;

    public RawSocket CreateSocket(AddressFamily family) => ManagedSocket.Create(family);

    public RawSocket AdoptSocket(nint descriptor, bool ownsDescriptor) => ManagedSocket.Adopt(descriptor, ownsDescriptor);

    public RawSocket AdoptSocket(Socket socket) => ManagedSocket.Adopt(socket);

    public IStreamChannel OpenStream(RawSocket socket)
        => new ReadinessChannel(socket, this);

    IoRegistration IReadinessSource.Watch(RawSocket socket, IIoHandler handler)
        => Add(((ManagedSocket)socket).Socket, IoEvents.None, IoTrigger.OnChange, handler, borrowed: null);

    public IListenChannel OpenListener(RawSocket socket)
        => new ReadinessListener(socket, listener => Add(((ManagedSocket)socket).Socket, IoEvents.None, IoTrigger.OnChange, listener, borrowed: null));

    public IoRegistration Add(SafeHandle descriptor, IoEvents interest, IoTrigger trigger, IIoHandler handler)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (trigger == IoTrigger.Any)
        {
            trigger = IoTrigger.WhileReady; // Select asks every socket in every wait anyway
        }

        bool referenced = false;
        descriptor.DangerousAddRef(ref referenced);
        try
        {
            Socket socket = ManagedSocket.Wrap(new SafeSocketHandle(descriptor.DangerousGetHandle(), ownsHandle: false));
            return Add(socket, trigger == IoTrigger.OnChange ? IoEvents.None : interest, trigger, handler, descriptor);
        }
        catch (SocketException e)
        {
            descriptor.DangerousRelease();
            throw new IOException("The managed driver watches sockets only, and this descriptor is none. Use the epoll driver for other descriptors.", e);
        }
    }

    public void Wait(TimeSpan timeout)
    {
        _cursor = 0;
        _called = null;
        _events.Clear();
        _read.Clear();
        _write.Clear();
        _error.Clear();
        _read.Add(_self.Receiver);
        foreach (ManagedRegistration registration in _registrations)
        {
            registration.AddTo(_read, _write, _error);
        }

        long start = Stopwatch.GetTimestamp();
        try
        {
            Socket.Select(_read, _write, _error, timeout < TimeSpan.Zero ? Timeout.InfiniteTimeSpan : Limit(timeout));
        }
        catch (ObjectDisposedException) when (!_disposed)
        {
            // A user closed a descriptor that is still watched. Report it as an error on its registration, so that its owner notices and
            // removes it.
            CollectClosed();
            return;
        }

        Collect(_read, IoEvents.Read);
        Collect(_write, IoEvents.Write);
        bool nothing = _read.Count + _write.Count + _error.Count == 0;
        Collect(_error, IoEvents.Error);
        if (nothing && (timeout < TimeSpan.Zero || Stopwatch.GetElapsedTime(start) < timeout))
        {
            CollectHungUp();
        }
    }

    public bool DispatchNext()
    {
        while (_cursor < _events.Count)
        {
            (ManagedRegistration registration, IoEvents events) = _events[_cursor++];
            if (!registration.IsRemoved)
            {
                _called = registration.Handler;
                registration.Handler.OnEvents(events);
                return true;
            }
        }

        return false;
    }

    public void Wake() => _self.Signal();

    public void Dispose()
    {
        _disposed = true;
        _events.Clear();
        foreach (ManagedRegistration registration in _registrations.ToArray())
        {
            registration.Remove();
        }

        _self.Dispose();
    }

    private ManagedRegistration Add(Socket socket, IoEvents interest, IoTrigger trigger, IIoHandler handler, SafeHandle? borrowed)
    {
        var registration = new ManagedRegistration(this, socket, interest, trigger, handler, borrowed, _registrations.Count);
        _registrations.Add(registration);
        _bySocket.Add(socket, registration);
        return registration;
    }

    // Select leaves in each list what is ready.
    private void Collect(List<Socket> ready, IoEvents direction)
    {
        foreach (Socket socket in ready)
        {
            if (socket == _self.Receiver)
            {
                _self.Drain();
            }
            else
            {
                _bySocket[socket].Report(direction, _events);
            }
        }
    }

    private void CollectClosed()
    {
        foreach (ManagedRegistration registration in _registrations)
        {
            if (registration.Socket.SafeHandle.IsClosed)
            {
                registration.Report(IoEvents.Error, _events);
            }
        }
    }

    // Select ended early and names nobody: poll(2) reports POLLHUP unasked, and Select keeps it to itself where nobody asked to read. A
    // level-triggered registration has to hear of it, or the loop would turn for nothing until the end. Hung up is what has something to
    // read (the end, at least) and refuses even an empty send.
    private void CollectHungUp()
    {
        foreach (ManagedRegistration registration in _registrations)
        {
            if (registration.IsDeafToHangUps && registration.Socket.Poll(TimeSpan.Zero, SelectMode.SelectRead))
            {
                // As everything on a loop is already; .NET refuses to send where it did not do that itself.
                registration.Socket.Blocking = false;
                _ = registration.Socket.Send(ReadOnlySpan<byte>.Empty, SocketFlags.None, out SocketError error);
                if (error is not (SocketError.Success or SocketError.WouldBlock))
                {
                    registration.Report(IoEvents.HangUp, _events);
                }
            }
        }
    }

    // Select counts microseconds in an int; on Unix it cuts them down to milliseconds, and would wait in a circle for the last fraction.
    private static TimeSpan Limit(TimeSpan timeout)
        => timeout < LongestWait ? TimeSpan.FromMilliseconds(Math.Ceiling(timeout.TotalMilliseconds)) : LongestWait;

    private sealed class ManagedRegistration(
        ManagedDriver driver, Socket socket, IoEvents interest, IoTrigger trigger, IIoHandler handler, SafeHandle? borrowed, int index) : IoRegistration
    {
        private IoEvents _interest = interest;
        private int _index = index;
        private int _eventIndex = -1;

        internal Socket Socket => socket;

        internal IIoHandler Handler => handler;

        internal bool IsRemoved => _index < 0;

        internal bool IsDeafToHangUps => trigger == IoTrigger.WhileReady && (_interest & IoEvents.Read) == 0;

        internal override void Update(IoEvents interest) => _interest = interest;

        internal override void Arm(IoEvents direction) => _interest |= direction;

        internal override void Remove()
        {
            if (IsRemoved)
            {
                return;
            }

            // The last one takes the free place, so that removal does not shift the list.
            List<ManagedRegistration> all = driver._registrations;
            ManagedRegistration last = all[^1];
            all[_index] = last;
            last._index = _index;
            all.RemoveAt(all.Count - 1);
            driver._bySocket.Remove(socket);
            _index = -1;
            if (borrowed is not null)
            {
                socket.Dispose();
                borrowed.DangerousRelease();
            }
        }

        internal void AddTo(List<Socket> read, List<Socket> write, List<Socket> error)
        {
            _eventIndex = -1;
            if ((_interest & IoEvents.Read) != 0)
            {
                read.Add(socket);
            }

            if ((_interest & IoEvents.Write) != 0)
            {
                write.Add(socket);
            }

            // Where a failed connect shows on Windows; a level-triggered registration hears of errors whatever its interest.
            if (trigger == IoTrigger.WhileReady || (_interest & IoEvents.Write) != 0)
            {
                error.Add(socket);
            }
        }

        internal void Report(IoEvents direction, List<(ManagedRegistration Registration, IoEvents Events)> events)
        {
            if (trigger == IoTrigger.OnChange)
            {
                _interest &= direction == IoEvents.Error ? IoEvents.None : ~direction;
            }

            if (_eventIndex < 0)
            {
                _eventIndex = events.Count;
                events.Add((this, direction));
            }
            else
            {
                events[_eventIndex] = (this, events[_eventIndex].Events | direction);
            }
        }
    }
}
