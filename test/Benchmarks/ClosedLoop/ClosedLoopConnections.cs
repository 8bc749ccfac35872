using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace LoopBridge.Benchmarks.ClosedLoop;

/// <summary>
/// The client's connections: each has one message under way, knows when it left, and checks what comes back. The calls do not wait
/// (MSG_DONTWAIT), so the sockets themselves may stay as .NET made them. For one thread; nothing is allocated per message.
/// </summary>
internal abstract unsafe class ClosedLoopConnections : IDisposable
{
    private readonly Socket[] _sockets;
    private readonly State[] _states;
    private readonly byte* _buffers;
    private readonly int _room;

    /// <param name="server">Where they connect to.</param>
    /// <param name="count">How many.</param>
    /// <param name="room">Bytes of memory for each.</param>
    protected ClosedLoopConnections(IPEndPoint server, int count, int room)
    {
        _sockets = new Socket[count];
        _states = new State[count];
        _room = room;
        _buffers = (byte*)NativeMemory.AllocZeroed((nuint)count, (nuint)room);
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
        state.Received = 0;
        state.SentAt = now;
        ReadOnlySpan<byte> message = Next(index, ref state);
        fixed (byte* first = message)
            return LibC.Send(state.Descriptor, first, message.Length, LibC.MsgDontWait | LibC.MsgNoSignal) == message.Length;
    }

    /// <summary>Reads what is there.</summary>
    public ConnectionStep Receive(int index)
    {
        ref State state = ref _states[index];
        Span<byte> answer = Answer(index);
        nint received;
        fixed (byte* first = answer)
            received = LibC.Receive(state.Descriptor, first + state.Received, answer.Length - state.Received, LibC.MsgDontWait);
        if (received == 0)
            return ConnectionStep.Lost;
        if (received < 0)
            return Marshal.GetLastPInvokeError() is LibC.EAgain or LibC.EIntr ? ConnectionStep.Partial : ConnectionStep.Lost;

        state.Received += (int)received;
        return Check(index, answer, state.Received);
    }

    /// <summary>Gives a connection up; its descriptor leaves the epoll set by being closed.</summary>
    public void Drop(int index)
    {
        _states[index].IsLost = true;
        _sockets[index].Dispose();
    }

    public void Dispose()
    {
        foreach (Socket? socket in _sockets)
            socket?.Dispose();
        NativeMemory.Free(_buffers);
    }

    /// <summary>The next message of a connection.</summary>
    protected abstract ReadOnlySpan<byte> Next(int index, ref State state);

    /// <summary>Where the connection's answer goes; one that does not fit is no answer.</summary>
    protected abstract Span<byte> Answer(int index);

    /// <summary>What so many bytes of the answer are.</summary>
    protected abstract ConnectionStep Check(int index, ReadOnlySpan<byte> answer, int received);

    /// <summary>The connection's own memory.</summary>
    protected Span<byte> Room(int index) => new(_buffers + ((nint)index * _room), _room);

    private int Connect(int index, IPEndPoint server)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _sockets[index] = socket;
        socket.Connect(server);
        return (int)socket.SafeHandle.DangerousGetHandle();
    }

    internal struct State
    {
        public int Descriptor;
        public int Received;
        public long Sequence;
        public bool IsLost;

        /// <summary>When the message under way left, in Stopwatch ticks.</summary>
        public long SentAt;

        /// <summary>Whole answers since the measurement began.</summary>
        public long Answers;
    }
}
