using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace LoopBridge.Drivers;

/// <summary>
/// One non-blocking stream socket as the platform gives it: operations that answer at once, no waiting, no policy. Not synchronised: the
/// engine sees to it that nobody uses a socket while it is closed. It may be opened on another loop than it was accepted on, so no
/// mechanism has a part in it.
/// </summary>
internal abstract class RawSocket : IDisposable
{
    internal abstract SafeHandle Handle { get; }

    /// <summary>Known from the moment of accept or connect, and unchanged after close.</summary>
    internal EndPoint? LocalEndPoint { get; set; }

    internal EndPoint? RemoteEndPoint { get; set; }

    internal abstract AddressFamily Family { get; }

    internal bool IsTcp => Family is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6;

    internal abstract IoResult Receive(Span<byte> buffer);

    internal abstract IoResult Send(ReadOnlySpan<ReadOnlyMemory<byte>> buffers);

    /// <summary>Pending: the mechanism that watches the socket tells the end, and <see cref="TakeError"/> the outcome.</summary>
    internal abstract IoResult Connect(EndPoint endPoint);

    internal abstract IoResult Accept(out RawSocket? accepted);

    internal abstract SocketError Bind(EndPoint endPoint);

    internal abstract SocketError Listen(int backlog);

    /// <summary>Reads and clears the pending error (SO_ERROR).</summary>
    internal abstract SocketError TakeError();

    internal abstract bool GetNoDelay();

    internal abstract void SetNoDelay(bool on);

    internal abstract bool GetKeepAlive();

    internal abstract void SetKeepAlive(bool on);

    internal abstract SocketError SetReusePort();

    /// <summary>One socket for both families where the address is <c>[::]</c>, IPv6 alone elsewhere.</summary>
    internal abstract void SetDualMode(bool on);

    internal abstract void ShutdownSend();

    /// <summary>Makes the coming <see cref="Dispose"/> reset the connection.</summary>
    internal abstract void SetResetOnClose();

    /// <summary>Asks the kernel for <see cref="LocalEndPoint"/> again, after bind or connect.</summary>
    internal abstract void RefreshLocalEndPoint();

    /// <summary>A .NET socket over the same descriptor that does not own it, for whoever wants to read options.</summary>
    internal abstract Socket Borrow();

    /// <summary>Turns it into a .NET socket that owns the descriptor; this object is of no use afterwards.</summary>
    internal abstract Socket Detach();

    public abstract void Dispose();
}
