using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Drivers.Epoll;
using LoopBridge.Drivers.Managed;
using LoopBridge.Loops;

namespace LoopBridge.Sockets;

/// <summary>
/// Sockets on a loop that offers no driver of its own: through the public handlers of <see cref="IEventLoop"/> alone. Correct on any loop,
/// at the price of a change of interest for each wait that does not end in another one.
/// </summary>
internal sealed class HandlerSocketDriver(IEventLoop loop) : ISocketDriver
{
    private static readonly ConditionalWeakTable<IEventLoop, HandlerSocketDriver> Drivers = [];

    /// <summary>The sockets of any loop.</summary>
    internal static ISocketDriver For(IEventLoop loop)
        => loop.SocketDriver ?? Drivers.GetValue(loop, static l => new HandlerSocketDriver(l));

    /// <summary>
    /// Watches a descriptor that is no socket, by edges. Loop thread.
    /// </summary>
    /// <exception cref="IOException">The loop's driver cannot watch such a one, or nobody can: a file.</exception>
    internal static IoRegistration Watch(IEventLoop loop, SafeHandle descriptor, IoEvents interest, IIoHandler handler)
    {
        if (loop.SocketDriver is IIoDriver driver)
        {
            return driver.Add(descriptor, interest, IoTrigger.OnChange, handler);
        }

        // A loop on a reactor takes a file for always ready. What comes out of one is no stream of events, on any loop.
        if (EpollDriver.IsSupported)
        {
            EpollDriver.ThrowIfRefused(descriptor);
        }

        // Asked now, because the registration below asks only when there is something to wait for.
        loop.AddHandler(descriptor, IoEvents.None, static (_, _) => { });
        loop.RemoveHandler(descriptor);
        return new HandlerRegistration(loop, descriptor, handler);
    }

    public RawSocket CreateSocket(AddressFamily family)
        => EpollDriver.IsSupported ? PosixSocket.Create(family) : ManagedSocket.Create(family);

    public RawSocket AdoptSocket(nint descriptor, bool ownsDescriptor)
        => EpollDriver.IsSupported ? PosixSocket.Adopt(descriptor, ownsDescriptor) : ManagedSocket.Adopt(descriptor, ownsDescriptor);

    public RawSocket AdoptSocket(Socket socket) => EpollDriver.IsSupported ? PosixSocket.Adopt(socket) : ManagedSocket.Adopt(socket);

    public IStreamChannel OpenStream(RawSocket socket)
        => new ReadinessChannel(socket, channel => new HandlerRegistration(loop, socket.Handle, channel));

    public IListenChannel OpenListener(RawSocket socket)
        => new ReadinessListener(socket, listener => new HandlerRegistration(loop, socket.Handle, listener));

    /// <summary>
    /// One report for each arm, over handlers that report levels. What is asked of the loop follows what is armed, but not in mid-report:
    /// who receives until it would block and arms again, as steady traffic does, changes nothing.
    /// </summary>
    /// <remarks>
    /// With nothing armed a loop still reports errors and hang-ups, in each turn. The first that comes so ends the registration until
    /// something is armed again: a paused connection must not spin the loop.
    /// </remarks>
    private sealed class HandlerRegistration(IEventLoop loop, SafeHandle descriptor, IIoHandler handler) : IoRegistration
    {
        private IoEvents _armed;
        private IoEvents _interest;
        private bool _isArmed; // with None, for errors and hang-ups alone
        private bool _isRegistered;
        private bool _isReporting;

        internal override void Update(IoEvents interest) => Arm(interest);

        internal override void Arm(IoEvents direction)
        {
            _armed |= direction;
            _isArmed = true;
            if (!_isReporting)
            {
                Ask();
            }
        }

        internal override void Remove()
        {
            Disarm();
            if (_isRegistered)
            {
                _isRegistered = false;
                loop.RemoveHandler(descriptor);
            }
        }

        private void OnEvents(SafeHandle _, IoEvents events)
        {
            if (!_isArmed)
            {
                Remove();
                return;
            }

            _armed &= (events & (IoEvents.Error | IoEvents.HangUp)) != 0 ? IoEvents.None : ~events;
            _isArmed = _armed != IoEvents.None;
            _isReporting = true;
            try
            {
                // The handler runs as user code with the loop's context; the engine's sinks expect none.
                using OutsideContext outside = OutsideContext.Enter();
                handler.OnEvents(events);
            }
            finally
            {
                _isReporting = false;
                Ask();
            }
        }

        private void Ask()
        {
            if (!_isRegistered)
            {
                if (_isArmed)
                {
                    loop.AddHandler(descriptor, _armed, OnEvents);
                    _isRegistered = true;
                    _interest = _armed;
                }
            }
            else if (_interest != _armed)
            {
                loop.UpdateHandler(descriptor, _armed);
                _interest = _armed;
            }
        }

        private void Disarm()
        {
            _armed = IoEvents.None;
            _isArmed = false;
        }
    }
}
