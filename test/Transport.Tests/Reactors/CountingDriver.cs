using System.Net.Sockets;
using System.Runtime.InteropServices;
using LoopBridge.Drivers;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>A driver that counts how often it was waited for: each wake-up of whatever stands on it is followed by one.</summary>
internal sealed class CountingDriver(LoopDriver driver) : IIoDriver
{
    private readonly IIoDriver _inner = IoDriverFactory.Create(driver);
    private long _waits;

    public string Name => _inner.Name;

    public object? Behalf => _inner.Behalf;

    internal long Waits => Interlocked.Read(ref _waits);

    public void Wait(TimeSpan timeout)
    {
        Interlocked.Increment(ref _waits);
        _inner.Wait(timeout);
    }

    public IoRegistration Add(SafeHandle descriptor, IoEvents interest, IoTrigger trigger, IIoHandler handler)
        => _inner.Add(descriptor, interest, trigger, handler);

    public bool DispatchNext() => _inner.DispatchNext();

    public void Wake() => _inner.Wake();

    public RawSocket CreateSocket(AddressFamily family) => _inner.CreateSocket(family);

    public RawSocket AdoptSocket(nint descriptor, bool ownsDescriptor) => _inner.AdoptSocket(descriptor, ownsDescriptor);

    public RawSocket AdoptSocket(Socket socket) => _inner.AdoptSocket(socket);

    public IStreamChannel OpenStream(RawSocket socket) => _inner.OpenStream(socket);

    public IListenChannel OpenListener(RawSocket socket) => _inner.OpenListener(socket);

    public void Dispose() => _inner.Dispose();
}
