using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>A descriptor whose methods a test writes in place.</summary>
internal class TestDescriptor(SafeHandle handle) : IReadDescriptor, IWriteDescriptor
{
    public SafeHandle Handle
    {
        get
        {
            HandleAsked++;
            return Current;
        }
    }

    internal SafeHandle Current { get; set; } = handle;

    internal int HandleAsked { get; private set; }

    internal Func<Exception?> OnRead { get; set; } = () => null;

    internal Func<Exception?> OnWrite { get; set; } = () => null;

    internal Action<Exception> OnLost { get; set; } = _ => { };

    internal int Reads { get; private set; }

    internal int Writes { get; private set; }

    internal List<Exception> Losses { get; } = [];

    internal TaskCompletionSource<Exception> Lost { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Done after the first <see cref="DoRead"/>.</summary>
    internal TaskCompletionSource FirstRead { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Exception? DoRead()
    {
        Reads++;
        Exception? end = OnRead();
        FirstRead.TrySetResult();
        return end;
    }

    public Exception? DoWrite()
    {
        Writes++;
        return OnWrite();
    }

    public void ConnectionLost(Exception reason)
    {
        Losses.Add(reason);
        try
        {
            OnLost(reason);
        }
        finally
        {
            Lost.TrySetResult(reason); // last: whoever waits for it goes on at once, and looks at what the test's own did
        }
    }
}

internal sealed class HalfCloseTestDescriptor(SafeHandle handle) : TestDescriptor(handle), IHalfCloseDescriptor
{
    internal List<Exception> ReadLosses { get; } = [];

    public void ReadConnectionLost(Exception reason) => ReadLosses.Add(reason);
}

/// <summary>Two ends of one connection over the loopback.</summary>
internal sealed class SocketPair : IDisposable
{
    internal SocketPair()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        Theirs = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Theirs.Connect(listener.LocalEndPoint!);
        Ours = listener.Accept();
        Ours.NoDelay = true;
    }

    /// <summary>The end that the reactor watches.</summary>
    internal Socket Ours { get; }

    internal Socket Theirs { get; }

    /// <summary>Waits until so much has arrived at ours: also on the loopback that may take longer than the send.</summary>
    internal void WaitAvailable(int count) => Assert.True(SpinWait.SpinUntil(() => Ours.Available == count, Deadline.Default));

    /// <summary>
    /// What <see cref="IReadDescriptor.DoRead"/> does: takes what is there, and calls the end of the stream a clean close.
    /// </summary>
    internal Exception? Drain(List<byte>? into = null)
    {
        byte[] buffer = new byte[16];
        int count = Ours.Receive(buffer);
        into?.AddRange(buffer.AsSpan(0, count));
        return count == 0 ? new ConnectionDoneException() : null;
    }

    public void Dispose()
    {
        Ours.Dispose();
        Theirs.Dispose();
    }
}
