using System.Runtime.InteropServices;
using LoopBridge.Reactors;
using Microsoft.Win32.SafeHandles;

namespace LoopBridge.Protocols;

/// <remarks>
/// A connection in the books of its reactor (R-CONN-02): a reader while it receives, a writer while something waits to be sent. The socket
/// engine does the work; the reactor asks when somebody looks at its books, and ends the connection with itself (R-CORE-10).
/// </remarks>
internal sealed partial class ReactorTransport
{
    private static readonly SafeHandle NoHandle = new SafeFileHandle(-1, ownsHandle: false);

    private ServedSet? _books;
    private bool _setAside;

    bool IServedDescriptor.IsReader => IsReceiving;

    bool IServedDescriptor.IsWriter => !_setAside && !_socket.IsClosing && _socket.Unsent > 0;

    // Of a connection over something that has no descriptor of its own: a handle that says so.
    SafeHandle IDescriptor.Handle => _socket.RawSocket?.Handle ?? NoHandle;

    // A pause that nobody asked for; ResumeProducing ends it.
    void IServedDescriptor.SetAside()
    {
        _paused = true;
        _setAside = true;
    }

    Exception? IReadDescriptor.DoRead()
    {
        ThrowIfOffLoop();
        Proceed();
        return null;
    }

    // The engine sends whenever it can.
    Exception? IWriteDescriptor.DoWrite() => null;

    /// <summary>
    /// The reactor is at its end, or somebody who removed all it had wants this ended. There may be no later turn: the protocol hears of it
    /// within the call, unless it has already.
    /// </summary>
    void IDescriptor.ConnectionLost(Exception reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        _reason ??= reason;
        _disconnecting = true;
        _dropsWrites = true;
        _held = default;
        _closesInCall = true;
        _socket.RequestAbort(reason, reset: false); // where the loop does not turn any more, its close ends the socket
        if (_begun)
        {
            TellLoss();
        }
    }

    // Of a connection that no reactor made, such as one of Kestrel's, the reactor of its loop is looked for, but not made for that.
    private void EnterBooks()
    {
        _books = ((_reactor ?? ReactorNetwork.FindReactor(Loop)) as ReactorBase)?.Served;
        _books?.Add(this);
    }

    private void LeaveBooks()
    {
        _books?.Remove(this);
        _books = null;
    }
}
