using LoopBridge.Bridge;
using LoopBridge.Protocols;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>Files to consumers, and consumers and protocols in each other's place.</summary>
public sealed class FileSenderTests : ProtocolContract
{
    [Theory, ReactorStacks]
    [Contract("R-PROD-10")]
    public async Task SendAsync_ToATransport_AllOfItAndTheLastByte(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        byte[] data = Pattern(1_000_001);
        string path = Path.GetTempFileName();
        await File.WriteAllBytesAsync(path, data, TestContext.Current.CancellationToken);
        var sent = new TaskCompletionSource<byte?>(TaskCreationOptions.RunContinuationsAsynchronously);
        bool onLoop = false;
        await using var file = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous | FileOptions.DeleteOnClose);
        await using IListeningPort port = Listen(thread, () => new TestProtocol { OnMade = p => _ = SendAsync(p) });
        using Peer peer = await Peer.ConnectAsync(port);

        AssertSameBytes(data, await peer.ReadToEndAsync());
        Assert.Equal(data[^1], await sent.Task.WithDeadline());
        Assert.True(onLoop);

        async Task SendAsync(TestProtocol protocol)
        {
            Task<byte?> sending = FileSender.SendAsync(file, protocol.Transport);
            Assert.Throws<InvalidOperationException>(Again);
            byte? last = await sending;
            onLoop = thread.Reactor.IsInReactorThread;
            protocol.Transport.LoseConnection();
            sent.SetResult(last);

            void Again() => _ = FileSender.SendAsync(file, protocol.Transport);
        }
    }

    [Fact]
    [Contract("R-PROD-10")]
    public async Task SendAsync_Chunks_AreSixteenKiB_EachTransformed()
    {
        var consumer = new Chunks();
        byte[] data = Pattern((2 * FileSender.ChunkSize) + 5);

        Task<byte?> sending = FileSender.SendAsync(
            new MemoryStream(data), consumer, chunk => chunk.Length == 5 ? "end"u8.ToArray() : chunk[..1]);
        Assert.IsAssignableFrom<IPullProducer>(consumer.Producer);
        consumer.Drain();

        Assert.Equal((byte)'d', await sending.WithDeadline());
        Assert.Null(consumer.Producer);
        Assert.Equal([[data[0]], [data[FileSender.ChunkSize]], "end"u8.ToArray()], consumer.Written);
    }

    [Fact]
    [Contract("R-PROD-10")]
    public async Task SendAsync_EmptyFile_NullByte_EmptyChunksAreSkipped()
    {
        Assert.Null(await FileSender.SendAsync(new MemoryStream(), new Chunks()).WithDeadline());
        Assert.Null(await FileSender.SendAsync(new MemoryStream([1, 2]), new Chunks(), _ => default).WithDeadline());
    }

    [Fact]
    [Contract("R-PROD-10")]
    public async Task SendAsync_StoppedOrFailing_Fails()
    {
        var consumer = new Chunks();
        Task<byte?> stopped = FileSender.SendAsync(new MemoryStream(new byte[2 * FileSender.ChunkSize]), consumer);
        consumer.Producer!.StopProducing();
        await Assert.ThrowsAsync<IOException>(() => stopped.WithDeadline());

        var another = new Chunks();
        Task<byte?> failing = FileSender.SendAsync(new MemoryStream([1]), another, _ => throw new InvalidTimeZoneException("bug"));
        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => failing.WithDeadline());
        Assert.Null(another.Producer);
    }

    [Fact]
    [Contract("R-CONN-30")]
    public async Task AsConsumer_GivesTheProtocolAllOfAFile()
    {
        byte[] data = Pattern(3 * FileSender.ChunkSize);
        var protocol = new TestProtocol();

        await FileSender.SendAsync(new MemoryStream(data), protocol.AsConsumer()).WithDeadline();

        Assert.Equal(data, protocol.Received);
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-30")]
    public async Task ConnectProtocols_ConsumerAsProtocol_BytesEndAndAbort(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var sink = new TestProtocol();
        var source = new TestProtocol { OnMade = p => p.Transport.WriteSequence(["hel"u8.ToArray(), "lo"u8.ToArray()]) };
        var consumer = new Chunks();
        await thread.Do(() => LoopBridge.Manual.MemoryProtocolExtensions.ConnectProtocols(
            thread.Reactor.GetLoop(), source, consumer.AsProtocol(), transportOptions: Options));
        await thread.Do(() => LoopBridge.Manual.MemoryProtocolExtensions.ConnectProtocols(
            thread.Reactor.GetLoop(), new TestProtocol { OnMade = p => p.Transport.AbortConnection() }, sink, transportOptions: Options));
        Assert.IsType<LoopBridge.Reactors.ConnectionLostException>(await sink.Lost.WithDeadline());

        await thread.Do(() => source.Transport.LoseConnection());
        Assert.IsType<LoopBridge.Reactors.ConnectionDoneException>(await source.Lost.WithDeadline());
        await thread.Turn();
        Assert.Equal("hello"u8.ToArray(), consumer.Written.SelectMany(chunk => chunk));
        Assert.Null(source.Transport.Peer);
    }

    private sealed class Chunks : IConsumer
    {
        internal List<byte[]> Written { get; } = [];

        internal IProducer? Producer { get; private set; }

        public void RegisterProducer(IPushProducer producer) => Producer = producer;

        public void RegisterProducer(IPullProducer producer)
        {
            Producer = producer;
            producer.ResumeProducing();
        }

        public void UnregisterProducer() => Producer = null;

        public void Write(ReadOnlySpan<byte> data) => Written.Add(data.ToArray());

        internal void Drain()
        {
            while (Producer is IPullProducer pull)
            {
                pull.ResumeProducing();
            }
        }
    }
}
