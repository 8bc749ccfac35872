using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using LoopBridge.Drivers;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>
/// A listening socket whose accept fails as the system does not on demand, as often as it is told to. Otherwise the real one.
/// </summary>
internal sealed class FaultySocket : RawSocket
{
    private readonly RawSocket _real;

    internal FaultySocket(RawSocket real)
    {
        _real = real;
        LocalEndPoint = real.LocalEndPoint;
    }

    /// <summary>What the next accepts give, before any connection. Loop thread.</summary>
    internal Queue<SocketError> Errors { get; } = new();

    /// <summary>How often a connection was asked for. Loop thread.</summary>
    internal int Accepts { get; private set; }

    internal override SafeHandle Handle => _real.Handle;

    internal override AddressFamily Family => _real.Family;

    internal override IoResult Accept(out RawSocket? accepted)
    {
        Accepts++;
        if (Errors.TryDequeue(out SocketError error))
        {
            accepted = null;
            return IoResult.Failed(error);
        }

        return _real.Accept(out accepted);
    }

    internal override IoResult Receive(Span<byte> buffer) => _real.Receive(buffer);

    internal override IoResult Send(ReadOnlySpan<ReadOnlyMemory<byte>> buffers) => _real.Send(buffers);

    internal override IoResult Connect(EndPoint endPoint) => _real.Connect(endPoint);

    internal override SocketError Bind(EndPoint endPoint) => _real.Bind(endPoint);

    internal override SocketError Listen(int backlog) => _real.Listen(backlog);

    internal override SocketError TakeError() => _real.TakeError();

    internal override bool GetNoDelay() => _real.GetNoDelay();

    internal override void SetNoDelay(bool on) => _real.SetNoDelay(on);

    internal override bool GetKeepAlive() => _real.GetKeepAlive();

    internal override void SetKeepAlive(bool on) => _real.SetKeepAlive(on);

    internal override SocketError SetReusePort() => _real.SetReusePort();

    internal override void SetDualMode(bool on) => _real.SetDualMode(on);

    internal override void ShutdownSend() => _real.ShutdownSend();

    internal override void SetResetOnClose() => _real.SetResetOnClose();

    internal override void RefreshLocalEndPoint() => _real.RefreshLocalEndPoint();

    internal override Socket Borrow() => _real.Borrow();

    internal override Socket Detach() => _real.Detach();

    public override void Dispose() => _real.Dispose();
}
