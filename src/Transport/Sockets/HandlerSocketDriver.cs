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
/// at the price of a change of interest for each wait.
/// </summary>
internal sealed class HandlerSocketDriver(IEventLoop loop) : ISocketDriver, IReadinessSource
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
        => new ReadinessChannel(socket, this);

    IoRegistration IReadinessSource.Watch(RawSocket socket, IIoHandler handler) => new HandlerRegistration(loop, socket.Handle, handler);

    public IListenChannel OpenListener(RawSocket socket)
        => new ReadinessListener(socket, listener => new HandlerRegistration(loop, socket.Handle, listener));

    /// <summary>
    /// One report for each arm, over handlers that report levels, and in steady traffic without a change of interest.
    /// </summary>
    /// <remarks>
    /// <para>A reader goes on until nothing is left and arms again, so its interest stays as it is: nothing can be reported in between.
    /// Only what is reported in vain, because the reader has stopped, is taken out, at the price of that one report. Not so a writer's:
    /// there is always room to write, so it is taken out at once.</para>
    /// <para>A loop that reports changes only does as well: the engine arms when an operation would block, so whatever comes after it is a
    /// change, and to ask for another direction makes the system look again.</para>
    /// <para>A level-triggered loop reports a hang-up whatever the interest, again and again. Once it was told, and nothing is armed, the
    /// descriptor is therefore not registered at all.</para>
    /// </remarks>
    private sealed class HandlerRegistration(IEventLoop loop, SafeHandle descriptor, IIoHandler handler)
        : IoRegistration, IIoHandler, IOnBehalf
    {
        private const IoEvents Ends = IoEvents.Error | IoEvents.HangUp;

        private IoEvents _armed;
        private IoEvents _interest;
        private bool _registered;

        object? IOnBehalf.Behalf => handler;

        internal override void Update(IoEvents interest) => Arm(interest);

        internal override void Arm(IoEvents direction)
        {
            _armed |= direction | Ends;
            if (!_registered)
            {
                loop.Watch(descriptor, _armed & ~Ends, this);
                _registered = true;
                _interest = _armed;
            }
            else if ((direction & ~_interest) != 0)
            {
                ReduceToArmed();
            }
        }

        internal override void Remove()
        {
            if (_registered)
            {
                _registered = false;
                _armed = IoEvents.None;
                loop.RemoveHandler(descriptor);
            }
        }

        public void OnEvents(IoEvents events)
        {
            IoEvents told = events & _armed;
            _armed &= (events & Ends) != 0 ? IoEvents.None : ~events;
            if (told != IoEvents.None)
            {
                // A loop that knows users alone runs this as their code, with its context; the engine's sinks expect none.
                using OutsideContext outside = OutsideContext.Enter();
                handler.OnEvents(told);
            }

            if (_registered && (told != events || (_interest & ~_armed & IoEvents.Write) != 0))
            {
                ReduceToArmed();
            }
        }

        private void ReduceToArmed()
        {
            if (_armed == IoEvents.None)
            {
                Remove();
            }
            else
            {
                loop.UpdateHandler(descriptor, _armed & ~Ends);
                _interest = _armed;
            }
        }
    }
}
