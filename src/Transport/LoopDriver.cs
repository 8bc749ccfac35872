namespace LoopBridge;

/// <summary>The mechanism underneath a loop.</summary>
public enum LoopDriver
{
    /// <summary>The best that this machine has: epoll on Linux, managed elsewhere.</summary>
    Auto,

    /// <summary>Linux epoll, edge-triggered. Linux only.</summary>
    Epoll,

    /// <summary>
    /// <c>System.Net.Sockets</c>, on every platform; watches sockets only. Each wait costs time in proportion to the sockets watched.
    /// </summary>
    Managed,
}
