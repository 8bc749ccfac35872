using System.Text;
using LoopBridge.Loops;
using LoopBridge.Manual;
using LoopBridge.Streams;

namespace LoopBridge.Middleware.Tests.Manual;

/// <summary>How a user tests a handler of his own: no server, no port, no thread, and a minute of silence takes no time.</summary>
public sealed class LoopHandlerOnManualLoopTests
{
    private static readonly byte[] NewLine = "\n"u8.ToArray();

    [Fact]
    public void Handler_NameInSinglePieces_IsGreeted()
    {
        using var loop = new ManualLoop();
        (LoopStream client, LoopStream server) = loop.CreateStreamPair(new MemoryStreamOptions { PieceSizes = [1] });
        Task served = loop.Begin(() => new GreeterHandler(loop.TimeProvider).HandleAsync(server, CancellationToken.None));

        string answer = loop.Run(async () =>
        {
            Assert.Equal("Who are you?\n", await ReadLineAsync(client));
            await client.WriteAsync("Ada\n"u8.ToArray());
            return await ReadLineAsync(client);
        });

        Assert.Equal("Hello Ada!\n", answer);
        loop.RunUntilComplete(served);
        Assert.Equal(TimeSpan.Zero, loop.Time);
    }

    [Fact]
    public void Handler_NobodyAnswersForAMinute_HangsUp()
    {
        using var loop = new ManualLoop();
        (LoopStream client, LoopStream server) = loop.CreateStreamPair();
        Task served = loop.Begin(() => new GreeterHandler(loop.TimeProvider).HandleAsync(server, CancellationToken.None));
        loop.Advance(TimeSpan.FromSeconds(59));
        Assert.False(served.IsCompleted);
        loop.Advance(TimeSpan.FromSeconds(1));
        Assert.True(served.IsCompletedSuccessfully);
        Assert.Equal("Too late.\n", loop.Run(async () =>
        {
            await ReadLineAsync(client);
            return await ReadLineAsync(client);
        }));
    }

    [Fact]
    public void Handler_ClientResets_FailsWithAClosedStream()
    {
        using var loop = new ManualLoop();
        (LoopStream client, LoopStream server) = loop.CreateStreamPair();
        Task served = loop.Begin(() => new GreeterHandler(loop.TimeProvider).HandleAsync(server, CancellationToken.None));
        loop.RunUntilIdle();
        client.Abort();
        Assert.Throws<StreamClosedException>(() => loop.RunUntilComplete(served));
    }

    [Fact]
    public void Handler_ServerStops_EndsBeforeItsTime()
    {
        using var loop = new ManualLoop();
        (_, LoopStream server) = loop.CreateStreamPair();
        using var stopping = new CancellationTokenSource();
        Task served = loop.Begin(() => new GreeterHandler(loop.TimeProvider).HandleAsync(server, stopping.Token));
        loop.RunUntilIdle();
        stopping.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => loop.RunUntilComplete(served));
        Assert.Equal(TimeSpan.Zero, loop.Time);
    }

    [Fact]
    public void Handler_ThatNobodyAnswers_IsADeadlockWithAReason()
    {
        using var loop = new ManualLoop();
        (_, LoopStream server) = loop.CreateStreamPair();
        var thrown = Assert.Throws<ManualLoopStuckException>(
            () => loop.Run(() => new GreeterHandler(loop.TimeProvider).HandleAsync(server, CancellationToken.None)));
        Assert.Contains("the next one in 00:01:00", thrown.Message, StringComparison.Ordinal);
    }

    private static async Task<string> ReadLineAsync(LoopStream stream) => Encoding.UTF8.GetString(await stream.ReadUntilAsync(NewLine));

    private sealed class GreeterHandler(TimeProvider clock) : ILoopHandler
    {
        public async Task HandleAsync(LoopStream stream, CancellationToken stopping)
        {
            Assert.Same(stream.Loop, CurrentLoop.Value);
            await stream.WriteAsync("Who are you?\n"u8.ToArray(), stopping);
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1), clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stopping);
            try
            {
                byte[] name = await stream.ReadUntilAsync(NewLine, maxBytes: 100, either.Token);
                await stream.WriteAsync(Encoding.UTF8.GetBytes($"Hello {Encoding.UTF8.GetString(name).TrimEnd()}!\n"), stopping);
            }
            catch (OperationCanceledException) when (patience.IsCancellationRequested)
            {
                await stream.WriteAsync("Too late.\n"u8.ToArray(), stopping);
            }
        }
    }
}
