using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace LoopBridge.Benchmarks.Echo;

/// <summary>
/// The client's connections: each has one message under way, knows when it left, and checks what comes back. The calls do not wait
/// (MSG_DONTWAIT), so the sockets themselves may stay as .NET made them. For one thread; nothing is allocated per message.
/// </summary>
internal sealed unsafe class EchoConnections : IDisposable
{
    public const int MessageSize = 64;

    private readonly Socket[] _sockets;
    private readonly State[] _states;
    private readonly byte* _buffers;

    public EchoConnections(IPEndPoint server, int count)
    {
        _sockets = new Socket[count];
        _states = new State[count];
        // Two messages per connection: the one that was sent, and the room for its echo.
        _buffers = (byte*)NativeMemory.AllocZeroed((nuint)(count * MessageSize * 2));
        try
        {
            for (int i = 0; i < count; i++)
                _states[i].Descriptor = Connect(i, server);
        }
        catch (SocketException e)
        {
            Dispose();
            throw new MeasurementException($"Connecting to {server} failed: {e.Message}");
        }
    }

    public int Count => _states.Length;

    public ref State this[int index] => ref _states[index];

    /// <summary>Sends the connection's next message; false if it cannot be sent whole.</summary>
    public bool Send(int index, long now)
    {
        ref State state = ref _states[index];
        byte* message = Message(index);
        // No two messages are alike: one that is late, doubled or another connection's is found out.
        ((int*)message)[0] = index;
        ((long*)message)[1] = ++state.Sequence;
        state.Received = 0;
        state.SentAt = now;
        return LibC.Send(state.Descriptor, message, MessageSize, LibC.MsgDontWait | LibC.MsgNoSignal) == MessageSize;
    }

    /// <summary>Reads what is there.</summary>
    public EchoStep Receive(int index)
    {
        ref State state = ref _states[index];
        byte* message = Message(index);
        byte* echo = message + MessageSize;
        nint received = LibC.Receive(state.Descriptor, echo + state.Received, MessageSize - state.Received, LibC.MsgDontWait);
        if (received <= 0)
            return received < 0 && Marshal.GetLastPInvokeError() is LibC.EAgain or LibC.EIntr ? EchoStep.Partial : EchoStep.Lost;

        state.Received += (int)received;
        if (state.Received < MessageSize)
            return EchoStep.Partial;

        bool same = new ReadOnlySpan<byte>(message, MessageSize).SequenceEqual(new ReadOnlySpan<byte>(echo, MessageSize));
        return same ? EchoStep.Whole : EchoStep.Wrong;
    }

    /// <summary>Gives a connection up; its descriptor leaves the epoll set by being closed.</summary>
    public void Drop(int index) => _sockets[index].Dispose();

    public void Dispose()
    {
        foreach (Socket? socket in _sockets)
            socket?.Dispose();
        NativeMemory.Free(_buffers);
    }

    private int Connect(int index, IPEndPoint server)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _sockets[index] = socket;
        socket.Connect(server);
        return (int)socket.SafeHandle.DangerousGetHandle();
    }

    private byte* Message(int index) => _buffers + (index * MessageSize * 2);

    internal struct State
    {
        public int Descriptor;
        public int Received;
        public long Sequence;

        /// <summary>When the message under way left, in Stopwatch ticks.</summary>
        public long SentAt;

        /// <summary>Echoes since the measurement began.</summary>
        public long Echoes;
    }
}
