using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Drivers.Epoll;
using LoopBridge.Interop;
using LoopBridge.Loops;

namespace LoopBridge.Sockets;

/// <summary>
/// A pipe, FIFO, terminal or socket pair in the place of a socket: <c>read</c> and <c>write</c> on a descriptor that the loop watches.
/// Linux.
/// </summary>
/// <remarks>
/// A pipe has one direction; the other one is pending for ever. What a writer can hear is that its reader has gone, and that is the end of
/// the stream.
/// </remarks>
internal sealed class DescriptorChannel : IStreamChannel, IIoHandler, IOnBehalf
{
    private readonly SafeHandle _handle;
    private readonly int _descriptor;
    private readonly FileAccess _access;
    private readonly IoRegistration _registration;
    private IStreamChannelOwner? _owner;
    private bool _mayReceive;
    private bool _readerGone;
    private bool _sendWaits;
    private bool _closed;

    object? IOnBehalf.Behalf => _owner;

    private DescriptorChannel(IEventLoop loop, SafeHandle handle, FileAccess access)
    {
        _handle = handle;
        _descriptor = (int)handle.DangerousGetHandle(); // referenced by the registration until the close
        _access = access;
        IoEvents interest = CanRead ? IoEvents.Read : IoEvents.None;
        _registration = HandlerSocketDriver.Watch(loop, handle, CanWrite ? interest | IoEvents.Write : interest, this);
    }

    /// <summary>
    /// Puts a non-blocking descriptor on the loop. Null: this loop's driver cannot watch it. Loop thread. The handle belongs to the channel
    /// from here on.
    /// </summary>
    internal static DescriptorChannel? TryOpen(IEventLoop loop, SafeHandle handle, FileAccess access)
    {
        if (!EpollDriver.IsSupported)
        {
            return null;
        }

        try
        {
            return new DescriptorChannel(loop, handle, access);
        }
        catch (IOException)
        {
            return null; // expected from a driver that watches sockets only, and for a regular file
        }
    }

    public EndPoint? LocalEndPoint => null;

    public EndPoint? RemoteEndPoint => null;

    public RawSocket? Socket => null;

    // Who writes to a pipe is on its loop already: streams and transports of processes are loop-affine.
    public bool CanSendFromAnyThread => false;

    private bool CanRead => (_access & FileAccess.Read) != 0;

    private bool CanWrite => (_access & FileAccess.Write) != 0;

    public IoResult Connect(EndPoint endPoint) => IoResult.Failed(SocketError.IsConnected);

    public void Start(IStreamChannelOwner owner)
    {
        _owner = owner;
        _registration.Arm(CanRead ? IoEvents.Read : IoEvents.None);
    }

    public IoResult Receive(Span<byte> buffer)
    {
        if (_closed)
        {
            return IoResult.Failed(SocketError.OperationAborted); // the number may be somebody else's by now
        }

        if (!CanRead)
        {
            return _readerGone ? IoResult.Of(0) : IoResult.Pending;
        }

        if (!_mayReceive)
        {
            return IoResult.Pending;
        }

        PosixResult result = LibC.Read(_descriptor, buffer);
        switch (result.Error)
        {
            case Errno.None:
                return IoResult.Of(result.Value);
            case Errno.EAGAIN:
                _mayReceive = false;
                _registration.Arm(IoEvents.Read);
                return IoResult.Pending;
            case Errno.EBADF: // closed behind our back, or not open for reading: counts as close (L-STR-51)
            case Errno.EIO: // how a terminal's master says that nobody has the other side open any more (pty(7))
                return IoResult.Of(0);
            default:
                return IoResult.Failed(result.Error.ToSocketError());
        }
    }

    // In pieces, not by writev(2): a pipe holds 64 KiB, less than one block of the queue and another.
    public IoResult Send(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
    {
        if (_closed)
        {
            return IoResult.Failed(SocketError.OperationAborted);
        }

        PosixResult result = LibC.Write(_descriptor, buffers[0].Span);
        if (result.Error == Errno.EAGAIN)
        {
            _sendWaits = true;
            _registration.Arm(IoEvents.Write);
            return IoResult.Pending;
        }

        return result.IsOk ? IoResult.Of(result.Value) : IoResult.Failed(result.Error.ToSocketError());
    }

    public IoResult TrySend(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
        => throw new InvalidOperationException("A pipe is written to from the loop only.");

    public void ShutdownSend()
    {
        if (!_closed && CanRead && CanWrite)
        {
            _ = LibC.ShutdownSend(_descriptor); // a socket pair; ENOTSOCK from a terminal, which has no half close
        }
    }

    public void Close(bool reset)
    {
        if (_closed)
        {
            return;
        }

        // First the watch, then the descriptor, in every layer (L-PROC-04).
        _closed = true;
        _registration.Remove();
        _handle.Dispose();
        _owner?.OnClosed();
    }

    void IIoHandler.OnEvents(IoEvents events)
    {
        bool ended = (events & (IoEvents.HangUp | IoEvents.Error)) != 0;
        _readerGone |= ended && !CanRead;
        if (ended || (events & IoEvents.Read) != 0)
        {
            _mayReceive = true;
            _owner!.OnReceivable();
        }

        if (_sendWaits && !_closed && (ended || (events & IoEvents.Write) != 0))
        {
            _sendWaits = false;
            _owner!.OnSendProgress(IoResult.Of(0));
        }

        if (!CanRead && !ended && !_closed)
        {
            _registration.Arm(IoEvents.None); // a loop that reports levels was told once; the reader's end is still to be heard
        }
    }
}
