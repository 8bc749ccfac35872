using System.IO.Pipes;
using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Drivers.Epoll;
using LoopBridge.Interop;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using Microsoft.Win32.SafeHandles;

namespace LoopBridge.Streams;

/// <remarks>
/// Pipes. Where the loop's driver watches any descriptor, the pipe is one more descriptor of the loop. Elsewhere .NET's own pipe stream
/// waits for it, and the loop is told: nothing blocks the loop either way.
/// </remarks>
public sealed partial class LoopStream
{
    private FileAccess _access = FileAccess.ReadWrite;

    /// <summary>Whether the stream has a direction to read from: false for the writing end of a pipe. Any thread.</summary>
    public bool CanRead => (_access & FileAccess.Read) != 0;

    /// <summary>Whether the stream has a direction to write to: false for the reading end of a pipe. Any thread.</summary>
    public bool CanWrite => (_access & FileAccess.Write) != 0;

    /// <summary>
    /// Makes a stream of a descriptor: an end of a pipe, a FIFO, a terminal, a socket pair. Descends from Tornado's <c>PipeIOStream</c>.
    /// Loop thread.
    /// </summary>
    /// <remarks>
    /// The descriptor is made non-blocking, which everybody sees who shares its open file description: leave alone what other programs
    /// hold too, such as standard input from a terminal. A reader's end and a writer's end are closed for good when the stream closes. A
    /// writer learns that its reader has gone when it writes, or, on epoll, at once while <see cref="Closed"/> is watched.
    /// </remarks>
    /// <param name="loop">Where it lives.</param>
    /// <param name="descriptor">
    /// Belongs to the stream from here on, which closes it; also when this call fails. On Windows the handle of an anonymous pipe.
    /// </param>
    /// <param name="access">Its directions. Both need a loop on epoll.</param>
    /// <returns>The open stream. Reading from, or writing to, a direction that it does not have throws.</returns>
    /// <exception cref="InvalidOperationException">The caller is not on the loop's thread.</exception>
    /// <exception cref="IOException">The descriptor is bad, or of a kind that cannot be waited for, such as a regular file.</exception>
    /// <exception cref="NotSupportedException">It has both directions, and the loop's driver cannot watch it.</exception>
    public static LoopStream FromPipe(IEventLoop loop, SafeHandle descriptor, FileAccess access)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(descriptor);
        ArgumentOutOfRangeException.ThrowIfZero((int)access, nameof(access));
        try
        {
            return Open(loop, OpenChannel(loop, descriptor, access), access);
        }
        catch
        {
            descriptor.Dispose(); // the failure goes on to the caller; the descriptor must not
            throw;
        }
    }

    /// <summary>Makes a pipe with both ends on one loop. Loop thread.</summary>
    /// <param name="loop">Where both live.</param>
    /// <returns>The end to read from and the end to write to. Neither goes on into child processes.</returns>
    /// <exception cref="InvalidOperationException">The caller is not on the loop's thread.</exception>
    /// <exception cref="IOException">The process is out of descriptors.</exception>
    public static (LoopStream Reader, LoopStream Writer) CreatePipe(IEventLoop loop)
    {
        ArgumentNullException.ThrowIfNull(loop);
        VerifyOnLoop(loop);
        (SafeHandle readEnd, SafeHandle writeEnd) = CreateEnds();
        LoopStream? reader = null;
        try
        {
            reader = FromPipe(loop, readEnd, FileAccess.Read);
            return (reader, FromPipe(loop, writeEnd, FileAccess.Write));
        }
        catch
        {
            reader?.Abort(); // the failure goes on to the caller; half a pipe must not
            writeEnd.Dispose();
            throw;
        }
    }

    /// <summary>A stream over one of .NET's, for a child's pipe that <see cref="System.Diagnostics.Process"/> made. Loop thread.</summary>
    internal static LoopStream FromStream(IEventLoop loop, Stream stream)
    {
        FileAccess access = stream.CanRead ? FileAccess.Read : FileAccess.Write;
        return Open(loop, new PipeChannel(loop, StreamDuplexPipe.Over(stream), local: null, remote: null), access);
    }

    private static LoopStream Open(IEventLoop loop, IStreamChannel channel, FileAccess access)
    {
        var socket = new StreamSocket(loop, channel);
        var stream = new LoopStream(socket) { _access = access };
        socket.Start(stream._sink);
        return stream;
    }

    private static IStreamChannel OpenChannel(IEventLoop loop, SafeHandle descriptor, FileAccess access)
    {
        VerifyOnLoop(loop);
        if (EpollDriver.IsSupported)
        {
            LibC.SetNonBlocking((int)descriptor.DangerousGetHandle()).OrThrow("fcntl(F_SETFL, O_NONBLOCK)");
        }

        return DescriptorChannel.TryOpen(loop, descriptor, access)
            ?? (IStreamChannel)new PipeChannel(loop, StreamDuplexPipe.Over(OpenStream(descriptor, access)), local: null, remote: null);
    }

    private static AnonymousPipeClientStream OpenStream(SafeHandle descriptor, FileAccess access)
    {
        if (access == FileAccess.ReadWrite)
        {
            throw new NotSupportedException("The pipe has two directions, and this loop's driver cannot watch it. Use the epoll driver.");
        }

        // The number changes its owner: .NET's stream takes one kind of handle only.
        var handle = new SafePipeHandle(descriptor.DangerousGetHandle(), ownsHandle: true);
        try
        {
            var stream = new AnonymousPipeClientStream(access == FileAccess.Read ? PipeDirection.In : PipeDirection.Out, handle);
            descriptor.SetHandleAsInvalid();
            return stream;
        }
        catch
        {
            handle.SetHandleAsInvalid(); // no pipe, which the caller is told; the number stays the descriptor's
            throw;
        }
    }

    private static (SafeHandle ReadEnd, SafeHandle WriteEnd) CreateEnds()
    {
        if (EpollDriver.IsSupported)
        {
            LibC.Pipe(out int readEnd, out int writeEnd).OrThrow("pipe2");
            return (new DescriptorHandle(readEnd), new DescriptorHandle(writeEnd));
        }

        using var pipe = new AnonymousPipeServerStream(PipeDirection.In);
        return (Take(pipe.SafePipeHandle), Take(pipe.ClientSafePipeHandle));
    }

    private static SafePipeHandle Take(SafePipeHandle handle)
    {
        var taken = new SafePipeHandle(handle.DangerousGetHandle(), ownsHandle: true);
        handle.SetHandleAsInvalid();
        return taken;
    }

    private static void VerifyOnLoop(IEventLoop loop)
    {
        if (!loop.IsOnLoopThread)
        {
            throw new InvalidOperationException("A pipe is opened on the thread of its loop (IEventLoop.AddCallback brings you there).");
        }
    }

    private void VerifyDirection(FileAccess direction)
    {
        if ((_access & direction) == 0)
        {
            throw new NotSupportedException(direction == FileAccess.Read
                ? "This is the writing end of a pipe: nothing can be read from it."
                : "This is the reading end of a pipe: nothing can be written to it.");
        }
    }
}
