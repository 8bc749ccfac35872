using System.Runtime.InteropServices;

namespace LoopBridge.Benchmarks.ClosedLoop;

/// <summary>Says which descriptors have something to read, level-triggered, by the index they were added with.</summary>
internal sealed unsafe class EpollSet : IDisposable
{
    // struct epoll_event is a 32-bit mask and 64 bits of ours. The kernel packs it on x86-64 alone (EPOLL_PACKED in eventpoll.h).
    private static readonly bool Packed = RuntimeInformation.ProcessArchitecture == Architecture.X64;
    private static readonly int EventSize = Packed ? 12 : 16;
    private static readonly int DataOffset = Packed ? 4 : 8;

    private readonly int _epoll;
    private readonly int _capacity;
    private readonly byte* _events;

    public EpollSet(int capacity)
    {
        _epoll = LibC.EpollCreate(0);
        if (_epoll < 0)
            throw new MeasurementException($"epoll_create1: {Marshal.GetLastPInvokeErrorMessage()}");
        _capacity = capacity;
        _events = (byte*)NativeMemory.AllocZeroed((nuint)(capacity * EventSize));
    }

    public void Add(int descriptor, int index)
    {
        *(uint*)_events = LibC.EpollIn;
        *(long*)(_events + DataOffset) = index;
        if (LibC.EpollControl(_epoll, LibC.EpollAdd, descriptor, _events) < 0)
            throw new MeasurementException($"epoll_ctl: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>How many are ready; zero if none was within that time.</summary>
    public int Wait(int milliseconds)
    {
        int ready = LibC.EpollWait(_epoll, _events, _capacity, milliseconds);
        if (ready >= 0 || Marshal.GetLastPInvokeError() == LibC.EIntr)
            return Math.Max(ready, 0);
        throw new MeasurementException($"epoll_wait: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>The index of one of those that <see cref="Wait"/> counted.</summary>
    public int ReadyIndex(int position) => (int)*(long*)(_events + (position * EventSize) + DataOffset);

    public void Dispose()
    {
        _ = LibC.Close(_epoll);
        NativeMemory.Free(_events);
    }
}
