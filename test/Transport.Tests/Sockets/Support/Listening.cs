using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>A running listener on a loop of its own, and what it accepted.</summary>
internal sealed class Listening : IAsyncDisposable
{
    private readonly ConcurrentQueue<RawSocket> _accepted = new();
    private readonly SemaphoreSlim _count = new(0);

    private Listening(TestLoop loop) => Loop = loop;

    internal TestLoop Loop { get; }

    internal SocketListener Listener { get; private set; } = null!;

    internal RawSocket Raw { get; private set; } = null!;

    internal EndPoint EndPoint => Listener.EndPoint!;

    internal ListLogger Logger { get; } = new();

    internal int Accepted => _accepted.Count;

    /// <summary>Called first, on the loop's thread.</summary>
    internal Action<RawSocket>? OnAccepted { get; set; }

    internal static async Task<Listening> OpenAsync(Ground ground, EndPoint? endPoint = null, bool start = true)
    {
        var listening = new Listening(new TestLoop(ground));
        var settings = new ListenSettings();
        listening.Raw = ListeningSockets.Listen(
            HandlerSocketDriver.For(listening.Loop.Loop), endPoint ?? new IPEndPoint(IPAddress.Loopback, 0), settings);
        await listening.Loop.InvokeAsync(() =>
        {
            listening.Listener = new SocketListener(listening.Loop.Loop, listening.Raw, settings, listening.Take, listening.Logger);
            if (start)
            {
                listening.Listener.Start();
            }
        });
        return listening;
    }

    internal Socket Connect()
    {
        var socket = new Socket(EndPoint.AddressFamily, SocketType.Stream, EndPoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        try
        {
            socket.Connect(EndPoint);
            return socket;
        }
        catch
        {
            socket.Dispose(); // the failure is the test's
            throw;
        }
    }

    /// <summary>Waits for so many more connections.</summary>
    internal async Task WaitAcceptedAsync(int count)
    {
        for (int i = 0; i < count; i++)
        {
            await _count.WaitAsync().WithDeadline();
        }
    }

    internal void CloseAccepted()
    {
        while (_accepted.TryDequeue(out RawSocket? socket))
        {
            socket.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Loop.InvokeAsync(Listener.Dispose);
        CloseAccepted();
        Loop.Dispose();
    }

    private void Take(RawSocket socket)
    {
        OnAccepted?.Invoke(socket);
        _accepted.Enqueue(socket);
        _count.Release();
    }
}
