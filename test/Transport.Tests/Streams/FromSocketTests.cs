using System.Net.Sockets;
using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class FromSocketTests : StreamContract
{
    [Theory, LoopStacks(true, false)]
    [Contract("L-STR-02")]
    public async Task FromSocket_ConnectedOrAccepted_TakesItOver(LoopStack stack, bool accepted)
    {
        (Socket first, Socket second) = await SocketPairs.ConnectAsync();
        (Socket near, Socket far) = accepted ? (second, first) : (first, second);
        using Socket peer = far;
        System.Net.EndPoint? local = near.LocalEndPoint;
        await StartLoop(stack).RunAsync(async loop =>
        {
            await using LoopStream stream = LoopStream.FromSocket(loop, near, new LoopStreamOptions { Logger = StreamLogger });
            Assert.Equal(local, stream.LocalEndPoint);
            Assert.Equal(peer.LocalEndPoint, stream.RemoteEndPoint);
            Assert.True(stream.Connected.IsCompletedSuccessfully);
            await peer.SendAsync("line\n".Bytes());
            Assert.Equal("line\n", (await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
            byte[] noise = StreamTestData.Noise(3_000_000);
            Task writing = stream.WriteAsync(noise).AsTask();
            byte[] received = new byte[noise.Length];
            await new NetworkStream(peer).ReadExactlyAsync(received);
            Assert.Equal(noise, received);
            await writing;
            await stream.CloseAsync();
            Assert.Equal(0, await peer.ReceiveAsync(received));
        });
    }

    [Theory, LoopStacks]
    public async Task FromSocket_NotConnected_ThrowsAndLeavesIt(LoopStack stack)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var datagram = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        LoopThread thread = StartLoop(stack);
        await thread.Do(() =>
        {
            Assert.Throws<ArgumentException>(() => LoopStream.FromSocket(thread.Loop, socket));
            Assert.Throws<ArgumentException>(() => LoopStream.FromSocket(thread.Loop, datagram));
        });
        Assert.Throws<InvalidOperationException>(() => LoopStream.FromSocket(thread.Loop, socket));
        Assert.False(socket.SafeHandle.IsClosed);
    }

    [Theory, LoopStacks]
    [Contract("L-STR-41")]
    public async Task SetNoDelay_OnTcp_ChangesTheSocket(LoopStack stack)
    {
        SkipUnless(OperatingSystem.IsLinux(), "looks at the descriptor through /proc");
        (Socket near, Socket far) = await SocketPairs.ConnectAsync();
        using Socket peer = far;
        string identity = SocketPairs.Identity(near);
        await StartLoop(stack).RunAsync(async loop =>
        {
            await using LoopStream stream = LoopStream.FromSocket(loop, near);
            using (Socket borrowed = SocketPairs.Borrow(identity))
            {
                Assert.False(borrowed.LingerState!.Enabled); // or the close would be a reset
                Assert.True(borrowed.NoDelay);
                stream.SetNoDelay(false);
                Assert.False(borrowed.NoDelay);
                stream.SetNoDelay(true);
                Assert.True(borrowed.NoDelay);
            }

            await stream.CloseAsync();
            stream.SetNoDelay(false); // harmless
        });
    }
}
