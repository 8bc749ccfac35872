using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using LoopBridge.Testing;

namespace LoopBridge.Middleware.Tests.Pipeline;

/// <summary>RFC 9113, section 6.</summary>
internal enum Http2FrameType : byte
{
    Data = 0,
    Headers = 1,
    ResetStream = 3,
    Settings = 4,
    Ping = 6,
    GoAway = 7,
    WindowUpdate = 8,
}

internal sealed record Http2Frame(Http2FrameType Type, byte Flags, int StreamId, byte[] Payload)
{
    internal bool EndsStream => Type is Http2FrameType.Data or Http2FrameType.Headers && (Flags & Http2Wire.EndStream) != 0;

    /// <summary>Of a GOAWAY: the last stream that the server has begun or will.</summary>
    internal int LastStreamId => BinaryPrimitives.ReadInt32BigEndian(Payload) & int.MaxValue;
}

/// <summary>HTTP/2 by hand, frame by frame: to see when GOAWAY comes, and to hold windows shut.</summary>
internal sealed class Http2Wire : IDisposable
{
    internal const byte EndStream = 1;
    private const byte EndHeaders = 4;
    private const byte Acknowledge = 1;
    private const int FrameHeader = 9;

    private readonly NetworkStream _stream;

    private Http2Wire(NetworkStream stream) => _stream = stream;

    internal static async Task<Http2Wire> ConnectAsync(IPEndPoint endPoint)
    {
        HttpWire wire = await HttpWire.ConnectAsync(endPoint);
        var client = new Http2Wire((NetworkStream)wire.Stream);
        await wire.SendAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        await client.SendAsync(Http2FrameType.Settings, 0, 0, default);
        return client;
    }

    internal async Task SendAsync(Http2FrameType type, byte flags, int stream, ReadOnlyMemory<byte> payload)
    {
        byte[] frame = new byte[FrameHeader + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8); // 24 bits; the type overwrites the rest
        frame[3] = (byte)type;
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsMemory(FrameHeader));
        await _stream.WriteAsync(frame, CancellationToken.None).WithDeadline();
    }

    /// <summary>A request without a body. RFC 7541: GET, http and authority from the static table, the path as a literal.</summary>
    internal Task GetAsync(int stream, string path)
    {
        byte[] text = Encoding.ASCII.GetBytes(path);
        byte[] headers = [0x82, 0x86, 0x01, 1, (byte)'x', 0x04, (byte)text.Length, .. text];
        return SendAsync(Http2FrameType.Headers, EndStream | EndHeaders, stream, headers);
    }

    /// <summary>The next frame that is not about settings, windows or pings; null at the orderly end.</summary>
    internal async Task<Http2Frame?> ReceiveAsync()
    {
        while (await ReceiveAnyAsync() is { } frame)
        {
            if (frame.Type == Http2FrameType.Settings && (frame.Flags & Acknowledge) == 0)
            {
                await SendAsync(Http2FrameType.Settings, Acknowledge, 0, default);
            }
            else if (frame.Type is not (Http2FrameType.Settings or Http2FrameType.WindowUpdate or Http2FrameType.Ping))
            {
                return frame;
            }
        }

        return null;
    }

    internal void FinishSending() => _stream.Socket.Shutdown(SocketShutdown.Send);

    public void Dispose() => _stream.Dispose();

    private async Task<Http2Frame?> ReceiveAnyAsync()
    {
        byte[] header = new byte[FrameHeader];
        int first = await _stream.ReadAsync(header, CancellationToken.None).WithDeadline();
        if (first == 0)
        {
            return null;
        }

        await _stream.ReadExactlyAsync(header.AsMemory(first), CancellationToken.None).WithDeadline();
        byte[] payload = new byte[BinaryPrimitives.ReadInt32BigEndian(header) >>> 8];
        await _stream.ReadExactlyAsync(payload, CancellationToken.None).WithDeadline();
        int stream = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(5)) & int.MaxValue;
        return new Http2Frame((Http2FrameType)header[3], header[4], stream, payload);
    }
}
