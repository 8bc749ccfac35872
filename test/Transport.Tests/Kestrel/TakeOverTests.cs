using System.Buffers;
using System.Net.Sockets;
using System.Text;
using LoopBridge.Kestrel;
using LoopBridge.Sockets;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Transport.Tests.Kestrel;

public sealed class TakeOverTests
{
    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    public async Task TakeOver_BytesAlreadyThereAndBytesToCome_GoToTheNewSink(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        await ArriveAsync(client, connection, "early ");
        var takeOver = connection.Features.Get<ISocketTakeOverFeature>()!;
        Assert.True(takeOver.CanTakeOver(connection.Transport));
        CollectingSink? sink = null;
        await takeOver.TakeOverAsync((StreamSocket socket, in ReadOnlySequence<byte> received) =>
        {
            sink = new CollectingSink(socket);
            socket.ChangeSink(sink);
            sink.Append(Encoding.ASCII.GetString(received));
            sink.OnReceivable();
        }).WithDeadline();
        await client.SendTextAsync("late");
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("early late", await sink!.Text.WithDeadline());
        await connection.ClosedAsync();
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    public async Task TakeOver_SinkClosesInTheMiddle_TheBytesStayItsOwnUntilItReturns(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        await ArriveAsync(client, connection, "whole");
        string? after = null;
        await connection.Features.Get<ISocketTakeOverFeature>()!.TakeOverAsync((StreamSocket socket, in ReadOnlySequence<byte> received) =>
        {
            socket.ChangeSink(new CollectingSink(socket));
            socket.Close(null, reset: false);
            after = Encoding.ASCII.GetString(received);
        }).WithDeadline();
        Assert.Equal("whole", after);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    public async Task TakeOver_BeginThrows_TheCallerLearnsAndTheConnectionStillEnds(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        await ArriveAsync(client, connection, "bytes");
        await Assert.ThrowsAsync<InvalidOperationException>(() => connection.Features.Get<ISocketTakeOverFeature>()!.TakeOverAsync(
            (StreamSocket _, in ReadOnlySequence<byte> _) => throw new InvalidOperationException("No sink.")).WithDeadline());
        await connection.DisposeAsync().WithDeadline();
    }

    // Until the loop has them, without consuming.
    private static async Task ArriveAsync(Socket client, ConnectionContext connection, string text)
    {
        await client.SendTextAsync(text);
        System.IO.Pipelines.ReadResult result = await connection.Transport.Input.ReadAtLeastAsync(text.Length, TestContext.Current.CancellationToken).WithDeadline();
        connection.Transport.Input.AdvanceTo(result.Buffer.Start);
    }

    private sealed class CollectingSink(StreamSocket socket) : ISocketSink
    {
        private readonly StringBuilder _text = new();
        private readonly TaskCompletionSource<string> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task<string> Text => _end.Task;

        internal void Append(string text) => _text.Append(text);

        public void OnReceivable()
        {
            byte[] buffer = new byte[100];
            while (socket.Receive(buffer) is { IsOk: true } result)
            {
                if (result.Count == 0)
                {
                    _end.TrySetResult(_text.ToString());
                    socket.Close(null, reset: false);
                    return;
                }

                Append(Encoding.ASCII.GetString(buffer, 0, result.Count));
            }
        }

        public void OnSendDrained()
        {
        }

        public void OnSendFinished()
        {
        }

        public void OnClosed(Exception? reason) => _end.TrySetResult(_text.ToString());
    }
}
