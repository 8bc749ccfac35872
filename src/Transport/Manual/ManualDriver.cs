using System.Net.Sockets;
using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Manual;

/// <summary>
/// A driver without a kernel: a poll finds what memory streams have delivered since the last one, and the <see cref="ManualDescriptor"/>s
/// that the test made ready. It never waits.
/// </summary>
internal sealed class ManualDriver : IIoDriver
{
    private readonly Queue<ILoopWork> _arrivals = new();
    private readonly List<Registration> _registrations = [];
    private readonly List<Registration> _found = [];
    private int _arrivalsLeft;
    private int _cursor;
    private object? _called;

    public string Name => "manual";

    object? IOnBehalf.Behalf => Volatile.Read(ref _called);

    /// <summary>Whether a poll would find anything.</summary>
    internal bool HasNews => _arrivals.Count > 0 || _registrations.Exists(registration => registration.Events != IoEvents.None);

    /// <summary>The next poll finds it. Loop thread.</summary>
    internal void Arrive(ILoopWork work) => _arrivals.Enqueue(work);

    public IoRegistration Add(SafeHandle descriptor, IoEvents interest, IoTrigger trigger, IIoHandler handler)
    {
        if (descriptor is not ManualDescriptor manual)
        {
            throw new IOException(
                $"A manual loop has no kernel underneath and cannot watch a {descriptor.GetType().Name}: "
                + $"use a {nameof(ManualDescriptor)}, which the test makes ready, or a stream in memory (CreateStreamPair).");
        }

        var registration = new Registration(this, manual, interest, handler);
        _registrations.Add(registration);
        return registration;
    }

    public void Wait(TimeSpan timeout)
    {
        _cursor = 0;
        _called = null;
        _found.Clear();
        _found.AddRange(_registrations.Where(registration => registration.Events != IoEvents.None));
        _arrivalsLeft = _arrivals.Count; // what arrives because of these waits for the next poll, as on a kernel
    }

    public bool DispatchNext()
    {
        if (_arrivalsLeft > 0)
        {
            _arrivalsLeft--;
            ILoopWork arrival = _arrivals.Dequeue();
            _called = arrival;
            arrival.Run();
            return true;
        }

        while (_cursor < _found.Count)
        {
            Registration registration = _found[_cursor++];
            if (registration.Events is var events and not IoEvents.None)
            {
                _called = registration.Handler;
                registration.Handler.OnEvents(events);
                return true;
            }
        }

        return false;
    }

    public void Wake()
    {
        // Nothing ever sleeps here.
    }

    public RawSocket CreateSocket(AddressFamily family) => throw NoSockets();

    public RawSocket AdoptSocket(nint descriptor, bool ownsDescriptor) => throw NoSockets();

    public RawSocket AdoptSocket(Socket socket) => throw NoSockets();

    public IStreamChannel OpenStream(RawSocket socket) => throw NoSockets();

    public IListenChannel OpenListener(RawSocket socket) => throw NoSockets();

    public void Dispose()
    {
        _arrivals.Clear();
        foreach (Registration registration in _registrations.ToArray())
        {
            registration.Remove();
        }
    }

    private static NotSupportedException NoSockets()
        => new("A manual loop has no sockets: connect code under test with CreateStreamPair, or run it on an EventLoop.");

    private sealed class Registration : IoRegistration
    {
        private readonly ManualDriver _driver;
        private readonly ManualDescriptor _descriptor;
        private IoEvents _interest;
        private bool _removed;

        internal Registration(ManualDriver driver, ManualDescriptor descriptor, IoEvents interest, IIoHandler handler)
        {
            _driver = driver;
            _descriptor = descriptor;
            _interest = interest;
            Handler = handler;
            bool referenced = false;
            descriptor.DangerousAddRef(ref referenced);
        }

        internal IIoHandler Handler { get; }

        /// <summary>What there is to tell. Asked again before each call, because the handler before may have changed it.</summary>
        internal IoEvents Events
            => _removed ? IoEvents.None : _descriptor.Ready & (_interest | IoEvents.Error | IoEvents.HangUp);

        internal override void Update(IoEvents interest) => _interest = interest;

        internal override void Arm(IoEvents direction)
        {
            // Readiness is a level here, and told in each turn: there is no edge to ask for again.
        }

        internal override void Remove()
        {
            if (!_removed)
            {
                _removed = true;
                _driver._registrations.Remove(this);
                _descriptor.DangerousRelease();
            }
        }
    }
}
