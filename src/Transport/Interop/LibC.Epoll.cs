using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LoopBridge.Interop;

internal static unsafe partial class LibC
{
    internal const int EPOLL_CLOEXEC = 0x80000;
    internal const int EPOLL_CTL_ADD = 1;
    internal const int EPOLL_CTL_DEL = 2;
    internal const int EPOLL_CTL_MOD = 3;

    internal const uint EPOLLIN = 0x001;
    internal const uint EPOLLPRI = 0x002;
    internal const uint EPOLLOUT = 0x004;
    internal const uint EPOLLERR = 0x008;
    internal const uint EPOLLHUP = 0x010;
    internal const uint EPOLLRDHUP = 0x2000;
    internal const uint EPOLLET = 1u << 31;

    internal static PosixResult EpollCreate() => PosixResult.Of(epoll_create1(EPOLL_CLOEXEC));

    internal static PosixResult EpollControl(int epoll, int operation, int descriptor, uint events, ulong data)
    {
        byte* entry = stackalloc byte[EpollEvents.MaxSize];
        EpollEvents.Write(entry, events, data);
        return PosixResult.Of(epoll_ctl(epoll, operation, descriptor, entry));
    }

    internal static PosixResult EpollWait(int epoll, byte* events, int maxEvents, int timeoutMilliseconds)
        => PosixResult.Of(epoll_wait(epoll, events, maxEvents, timeoutMilliseconds));

    [LibraryImport(Library, SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int epoll_ctl(int epfd, int op, int fd, byte* ev);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int epoll_wait(int epfd, byte* events, int maxevents, int timeout);

    /// <summary>
    /// <c>struct epoll_event</c>: the kernel packs it on x64 only (include/uapi/linux/eventpoll.h), so its layout is known at run time.
    /// </summary>
    internal static class EpollEvents
    {
        internal const int MaxSize = 16;

        internal static readonly int Size = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

        private static readonly int DataOffset = Size - sizeof(ulong);

        internal static void Write(byte* entry, uint events, ulong data)
        {
            *(uint*)entry = events;
            Unsafe.WriteUnaligned(entry + DataOffset, data);
        }

        internal static uint Events(byte* buffer, int index) => *(uint*)(buffer + (index * Size));

        internal static ulong Data(byte* buffer, int index) => Unsafe.ReadUnaligned<ulong>(buffer + (index * Size) + DataOffset);
    }
}
