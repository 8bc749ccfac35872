using System.Net;
using LoopBridge.Manual;
using LoopBridge.Streams;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Streams;

namespace LoopBridge.Transport.Tests.Manual;

public sealed class MemoryStreamTests
{
    private static readonly byte[] Line = StreamTestData.NewLine;

    [Fact]
    public void Write_ArrivesInThePollAfterTheSend()
    {
        using var loop = new ManualLoop();
        (LoopStream client, LoopStream server) = loop.CreateStreamPair();
        byte[] buffer = new byte[10];
        Task<int> read = server.Receive(buffer);
        List<string> order = [];
        _ = read.ContinueWith(
            _ => order.Add("bytes"), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        loop.AddCallback(() => Assert.True(client.Send("abc").IsCompletedSuccessfully));
        loop.AddCallback(() => order.Add("callback"));
        loop.CallLater(TimeSpan.Zero, _ => order.Add("timeout"), null);
        Assert.False(read.IsCompleted);
        loop.RunTurn();
        Assert.True(read.IsCompleted);
        Assert.Equal(3, loop.RunUntilComplete(read));
        Assert.Equal(["callback", "timeout", "bytes"], order);
        Assert.True(loop.IsIdle);
    }

    [Fact]
    public void BothDirections_AreIndependent()
    {
        using var loop = new ManualLoop();
        (LoopStream client, LoopStream server) = loop.CreateStreamPair();
        loop.Run(async () =>
        {
            await client.WriteAsync("question\n"u8.ToArray());
            await server.WriteAsync("answer\n"u8.ToArray());
            Assert.Equal("answer\n", (await client.ReadUntilAsync(Line)).Text());
            Assert.Equal("question\n", (await server.ReadUntilAsync(Line)).Text());
        });
    }

    [Fact]
    public void PieceSizes_AreWhatEachReceiveGets_OverAndOver()
    {
        using var loop = new ManualLoop();
        (LoopStream client, LoopStream server) = loop.CreateStreamPair(new MemoryStreamOptions { PieceSizes = [1, 3] });
        byte[] noise = StreamTestData.Noise(10);
        List<int> sizes = [];
        byte[] all = loop.Run(async () =>
        {
            await client.WriteAsync(noise);
            Task closing = client.Close();
            var received = new MemoryStream();
            byte[] buffer = new byte[100];
            for (int count; (count = await server.ReadAsync(buffer)) > 0;)
            {
                sizes.Add(count);
                received.Write(buffer, 0, count);
            }

            await closing;
            return received.ToArray();
        });
        Assert.Equal(noise, all);
        Assert.Equal([1, 3, 1, 3, 1, 1], sizes);
    }

    [Fact]
    public void PieceSizes_ReaderThatTarries_GetsNoMoreAtOnce()
    {
        using var loop = new ManualLoop();
        (LoopStream client, LoopStream server) = loop.CreateStreamPair(new MemoryStreamOptions { PieceSizes = [2] });
        _ = client.Send("abcdef");
        loop.RunUntilIdle();
        Assert.Equal(2, loop.Run(() => server.Receive(new byte[10])));
        loop.RunUntilIdle();
        Assert.Equal(2, loop.Run(() => server.Receive(new byte[10])));
    }

    [Fact]
    public void Capacity_Full_MakesTheWriterWait()
    {
        using var loop = new ManualLoop();
        (LoopStream client, LoopStream server) = loop.CreateStreamPair(new MemoryStreamOptions { Capacity = 1000 });
        byte[] noise = StreamTestData.Noise(300_000);
        Task write = client.Send(noise);
        loop.RunUntilIdle();
        Assert.False(write.IsCompleted);
        Assert.True(client.IsWriting);
        byte[] all = new byte[noise.Length];
        loop.Run(async () => await server.ReadExactlyAsync(all));
        Assert.Equal(noise, all);
        loop.RunUntilComplete(write);
        Assert.False(client.IsWriting);
    }

    [Fact]
    public void CloseAsync_PeerReadsTheRestThenTheEnd()
    {
        using var loop = new ManualLoop();
        (LoopStream client, LoopStream server) = loop.CreateStreamPair();
        loop.Run(async () =>
        {
            await client.WriteAsync("the end"u8.ToArray());
            await client.CloseAsync();
            Assert.Equal("the end", (await server.ReadUntilCloseAsync()).Text());
            Assert.Equal(0, await server.ReadAsync(new byte[1]));
            await server.CloseAsync();
        });
        Assert.True(server.IsClosed);
        Assert.True(loop.IsIdle);
    }

    [Theory]
    [InlineData(64 * 1024)]
    [InlineData(7)]
    [Contract("L-STR-53")]
    public void FinishWriting_ThePeerReadsAllThenTheEnd_AndItsAnswerComes(int capacity)
    {
        using var loop = new ManualLoop();
        (LoopStream client, LoopStream server) = loop.CreateStreamPair(new MemoryStreamOptions { Capacity = capacity, PieceSizes = [3] });
        byte[] noise = StreamTestData.Noise(1000);
        loop.Run(async () =>
        {
            await client.WriteAsync(noise);
            client.FinishWriting();
            client.FinishWriting();
            Assert.Throws<InvalidOperationException>(() => { _ = client.Send("more"); });
            byte[] received = new byte[noise.Length];
            await server.ReadExactlyAsync(received);
            Assert.Equal(noise, received);
            await client.FlushAsync();
            Assert.False(client.IsClosed);
            await server.WriteAsync("answer\n"u8.ToArray());
            Assert.Equal("answer\n", (await client.ReadUntilAsync(Line)).Text());
            Assert.False(server.IsClosed);

            // The end closes the one who reads it, and that in turn the other.
            Assert.Equal(0, await server.ReadAsync(received));
            Assert.True(server.IsClosed);
            Assert.Empty(await client.ReadUntilCloseAsync());
            Assert.True(client.IsClosed);
            Assert.Null(client.Error);
        });
    }

    [Fact]
    [Contract("L-STR-53")]
    public void FinishWriting_ThePeerWatchesForTheEnd_ItIsTold()
    {
        using var loop = new ManualLoop();
        (LoopStream client, LoopStream server) = loop.CreateStreamPair();
        CancellationToken closed = server.Closed;
        loop.Run(() =>
        {
            client.FinishWriting();
            return Task.CompletedTask;
        });
        loop.RunUntilIdle();
        Assert.True(closed.IsCancellationRequested);
    }

    [Fact]
    public void Closed_Watched_NoticesThePeersEnd()
    {
        using var loop = new ManualLoop();
        (LoopStream client, LoopStream server) = loop.CreateStreamPair();
        CancellationToken closed = server.Closed;
        loop.RunUntilIdle();
        Assert.False(closed.IsCancellationRequested);
        _ = client.Close();
        loop.RunUntilIdle();
        Assert.True(closed.IsCancellationRequested);
    }

    [Fact]
    public void WriteAsync_PeerClosed_FailsAndCloses()
    {
        using var loop = new ManualLoop();
        (LoopStream client, LoopStream server) = loop.CreateStreamPair();
        loop.Run(() => server.Close());
        _ = client.Send("a");
        loop.RunUntilIdle();
        Assert.True(client.IsClosed);
        Assert.Throws<StreamClosedException>(() => { _ = client.Send("b"); });
    }

    [Fact]
    public void WriteAsync_WaitingWhenThePeerCloses_Fails()
    {
        using var loop = new ManualLoop();
        (LoopStream client, LoopStream server) = loop.CreateStreamPair(new MemoryStreamOptions { Capacity = 10 });
        Task write = client.Send(new byte[200_000]);
        loop.RunUntilIdle();
        _ = server.Close();
        Assert.Throws<StreamClosedException>(() => loop.RunUntilComplete(write));
    }

    [Fact]
    public void Abort_PeerReadsWhatArrived_ThenFails()
    {
        using var loop = new ManualLoop();
        (LoopStream client, LoopStream server) = loop.CreateStreamPair();
        _ = client.Send("arrived");
        loop.RunUntilIdle();
        _ = client.Send("dropped");
        client.Abort();
        loop.RunUntilIdle();
        Assert.True(client.IsClosed);
        loop.Run(async () =>
        {
            byte[] buffer = new byte[100];
            Assert.Equal(7, await server.ReadAsync(buffer));
            var thrown = await Assert.ThrowsAsync<StreamClosedException>(() => server.Receive(buffer));
            Assert.IsType<Microsoft.AspNetCore.Connections.ConnectionResetException>(thrown.InnerException);
        });
        Assert.True(server.IsClosed);
    }

    [Fact]
    public void Abort_PeerIsReading_ItsReadFails()
    {
        using var loop = new ManualLoop();
        (LoopStream client, LoopStream server) = loop.CreateStreamPair();
        Task<byte[]> read = server.ReceiveLine();
        client.Abort();
        Assert.Throws<StreamClosedException>(() => loop.RunUntilComplete(read));
    }

    [Fact]
    public void EndPoints_AreThoseOfTheOptions()
    {
        using var loop = new ManualLoop();
        var options = new MemoryStreamOptions
        {
            ClientEndPoint = new IPEndPoint(IPAddress.Loopback, 1),
            ServerEndPoint = new IPEndPoint(IPAddress.Loopback, 2),
        };
        (LoopStream client, LoopStream server) = loop.CreateStreamPair(options);
        Assert.Equal((options.ClientEndPoint, options.ServerEndPoint), (client.LocalEndPoint, client.RemoteEndPoint));
        Assert.Equal((options.ServerEndPoint, options.ClientEndPoint), (server.LocalEndPoint, server.RemoteEndPoint));
        Assert.Null(loop.CreateStreamPair().Client.LocalEndPoint);
    }

    [Fact]
    public void Dispose_ClosesTheStreams()
    {
        var loop = new ManualLoop();
        (LoopStream client, LoopStream server) = loop.CreateStreamPair();
        Task<int> read = server.Receive(new byte[1]);
        loop.Dispose();
        Assert.True(client.IsClosed);
        Assert.True(server.IsClosed);
        Assert.True(read.IsFaulted);
        Assert.Empty(loop.Exceptions);
    }

    [Fact]
    public void Options_NothingFits_Throws()
    {
        using var loop = new ManualLoop();
        Assert.Throws<ArgumentOutOfRangeException>(() => loop.CreateStreamPair(new MemoryStreamOptions { Capacity = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => loop.CreateStreamPair(new MemoryStreamOptions { PieceSizes = [1, 0] }));
    }
}
