using System.Runtime.InteropServices;

namespace LoopBridge.Interop;

internal static unsafe partial class LibC
{
    private const int O_CLOEXEC = 0x80000;

    /// <summary>
    /// A pipe, pipe(7). Both ends are close-on-exec from the first moment on, so that a child which another thread starts just then does
    /// not get one; an end that a child is meant to have is duplicated into it.
    /// </summary>
    internal static PosixResult Pipe(out int readEnd, out int writeEnd)
    {
        int* ends = stackalloc int[2];
        PosixResult result = PosixResult.Of(pipe2(ends, O_CLOEXEC));
        readEnd = result.IsOk ? ends[0] : -1;
        writeEnd = result.IsOk ? ends[1] : -1;
        return result;
    }

    /// <summary>Reads from any descriptor, read(2).</summary>
    internal static PosixResult Read(int descriptor, Span<byte> buffer)
    {
        fixed (byte* pointer = buffer)
        {
            return PosixResult.Of(read(descriptor, pointer, (nuint)buffer.Length));
        }
    }

    /// <summary>Writes to any descriptor, write(2). The runtime ignores SIGPIPE, so a reader that is gone is the error EPIPE.</summary>
    internal static PosixResult Write(int descriptor, ReadOnlySpan<byte> buffer)
    {
        fixed (byte* pointer = buffer)
        {
            return PosixResult.Of(write(descriptor, pointer, (nuint)buffer.Length));
        }
    }

    [LibraryImport(Library, SetLastError = true)]
    private static partial int pipe2(int* ends, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint read(int fd, byte* buffer, nuint count);
}
