using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Sockets;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Kestrel;

/// <summary>The listening socket of one endpoint, whoever made it, and what becomes of its name when it closes.</summary>
internal sealed class BoundSocket : IDisposable
{
    // Of the application's making. It stays until the end because .NET removes a UNIX socket's file when it is disposed of.
    private readonly Socket? _made;
    private readonly UnixDomainSocketEndPoint? _named;
    private readonly SocketFile? _file;

    /// <param name="raw">Bound and listening.</param>
    /// <param name="endPoint">What Kestrel is told.</param>
    /// <param name="asked">What Kestrel asked for.</param>
    /// <param name="made">What it was made as, if by the application.</param>
    internal BoundSocket(RawSocket raw, EndPoint endPoint, EndPoint asked, Socket? made)
    {
        Raw = raw;
        EndPoint = endPoint;
        _made = made;
        IsShared = asked is FileHandleEndPoint;
        if (asked is UnixDomainSocketEndPoint unix && !UnixListenSocket.IsAbstract(unix))
        {
            _named = unix;
            _file = OperatingSystem.IsLinux() ? SocketFile.Find(unix.ToString()) : null;
        }
    }

    /// <summary>Bound and listening.</summary>
    internal RawSocket Raw { get; }

    /// <summary>What Kestrel is told: it compares this with what it asked for (K-07).</summary>
    internal EndPoint EndPoint { get; }

    /// <summary>
    /// Whether somebody else has the descriptor, too, and goes on listening when we are done: what waits in its queue is his then.
    /// </summary>
    internal bool IsShared { get; }

    /// <param name="driver">The sockets of the loop that is to accept.</param>
    /// <param name="endPoint">What Kestrel asks for.</param>
    /// <param name="settings">How to make the socket, and how to listen.</param>
    /// <param name="make">The application's way of making it; null: ours.</param>
    internal static BoundSocket Open(ISocketDriver driver, EndPoint endPoint, ListenSettings settings, Func<EndPoint, Socket>? make)
    {
        if (make is null)
        {
            RawSocket raw = ListeningSockets.Listen(driver, endPoint, settings);

            // What was asked for is handed back unless the kernel chose (port 0) or the descriptor knows.
            bool isKnown = endPoint is IPEndPoint { Port: not 0 } or UnixDomainSocketEndPoint;
            return new BoundSocket(raw, isKnown ? endPoint : raw.LocalEndPoint ?? endPoint, endPoint, made: null);
        }

        Socket made = Make(make, endPoint);
        try
        {
            RawSocket raw = ListeningSockets.Listen(driver, made, endPoint, settings);
            return new BoundSocket(raw, raw.LocalEndPoint ?? endPoint, endPoint, made);
        }
        catch
        {
            made.Dispose(); // the failure goes on to the caller; the socket must not stay
            throw;
        }
    }

    /// <summary>
    /// Takes the name of a UNIX socket away, so that a successor may have it. Harmless if it is gone, or somebody else's by now.
    /// </summary>
    internal void RemoveName()
    {
        _file?.Remove();
        if (_named is null || OperatingSystem.IsLinux())
        {
            return;
        }

        try
        {
            File.Delete(_named.ToString());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Expected when the directory has gone or its rights have changed: the listener has ended all the same.
        }
    }

    /// <summary>Closes what is left. The loop thread's, once a listener has the socket.</summary>
    public void Dispose()
    {
        Raw.Dispose();
        _made?.Dispose();
    }

    private static Socket Make(Func<EndPoint, Socket> make, EndPoint endPoint)
    {
        try
        {
            return make(endPoint) ?? throw new InvalidOperationException(
                $"{nameof(LoopBridgeOptions)}.{nameof(LoopBridgeOptions.CreateBoundListenSocket)} gave no socket for {endPoint}.");
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(e.Message, e); // Kestrel tells it from other failures by the type
        }
    }
}
