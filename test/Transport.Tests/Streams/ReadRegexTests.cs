using System.Text.RegularExpressions;
using LoopBridge.Streams;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class ReadRegexTests : StreamContract
{
    private static readonly Regex BlankLine = new(@"\r?\n\r?\n", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-10")]
    public async Task ReadUntilRegexAsync_MatchesInOnePacket_GivesThemOneByOneUpToTheirEnd(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            await link.SendAsync("one\n\ntwo\r\n\r\nrest");
            Assert.Equal("one\n\n", (await stream.ReadUntilRegexAsync(BlankLine)).Text());
            Assert.Equal("two\r\n\r\n", (await stream.ReadUntilRegexAsync(BlankLine)).Text());
            byte[] rest = new byte[4];
            await stream.ReadExactlyAsync(rest);
            Assert.Equal("rest", rest.Text());
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-10")]
    public async Task ReadUntilRegexAsync_BytesOneAtATime_FindsTheMatchThatStraddlesThem(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            ValueTask<byte[]> read = stream.ReadUntilRegexAsync(BlankLine);
            const string Message = "GET /\r\n\rx\r\n\r\n";
            for (int i = 0; i < Message.Length; i++)
            {
                Assert.False(read.IsCompleted);
                await link.SendAsync(Message[i].ToString());
                await StreamLink.UntilAsync(() => stream.Buffered == i + 1 || read.IsCompleted);
            }

            Assert.Equal(Message, (await read).Text());
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-10")]
    public async Task ReadUntilRegexAsync_BytesBeyondAscii_AreCharactersOneToOne(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack);
        await link.OnLoop(async stream =>
        {
            byte[] all = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
            await link.SendAsync(all);
            Assert.Equal(all, await stream.ReadUntilRegexAsync(new Regex(@"\x00[\s\S]*\x80[\s\S]*\xFF")));
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-18"), Contract("L-STR-17")]
    public async Task ReadUntilRegexAsync_PeerFinishes_TakesTheLastMatchAndThenFails(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack);
        await link.OnLoop(async stream =>
        {
            ValueTask<byte[]> read = stream.ReadUntilRegexAsync(BlankLine);
            await link.SendAsync("line\n");
            await StreamLink.UntilAsync(() => stream.Buffered == 5);
            await link.SendAsync("\nhalf\n");
            link.FinishSending();
            Assert.Equal("line\n\n", (await read).Text());
            await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.ReadUntilRegexAsync(BlankLine));
            Assert.Equal("half\n", (await stream.ReadUntilCloseAsync()).Text());
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-07")]
    public async Task ReadUntilRegexAsync_LimitMetWhileWaiting_ClosesTheStreamAndSaysSo(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            ValueTask<byte[]> read = stream.ReadUntilRegexAsync(BlankLine, maxBytes: 8);
            await link.SendAsync("0123");
            await StreamLink.UntilAsync(() => stream.Buffered == 4);
            await link.SendAsync("4567");
            StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => read.AsTask());
            Assert.IsType<UnsatisfiableReadException>(closed.InnerException);
            Assert.Same(closed.InnerException, stream.Error);
            Assert.True(stream.IsClosed);
            await StreamLink.UntilAsync(() => stream.Closed.IsCancellationRequested);
        });
        Assert.Equal(600, Log.TakeSingle(LogLevel.Information).Id.Id);
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-08"), Contract("L-STR-09")]
    public async Task ReadUntilRegexAsync_MatchEndsBeyondTheLimitInBufferedData_FailsThroughTheTask(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            await link.SendAsync("first\n0123456\n\n");
            await stream.ReadUntilAsync(StreamTestData.NewLine);
            await StreamLink.UntilAsync(() => stream.Buffered == 9);
            int closes = 0;
            stream.OnClosed(_ => closes++);
            ValueTask<byte[]> read = stream.ReadUntilRegexAsync(BlankLine, maxBytes: 8);
            StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => read.AsTask());
            Assert.IsType<UnsatisfiableReadException>(closed.InnerException);
            await StreamLink.UntilAsync(() => closes == 1);
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-09")]
    public async Task ReadUntilRegexAsync_MatchEndsAtTheLimit_Succeeds(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack);
        await link.OnLoop(async stream =>
        {
            await link.SendAsync("0123456\n\nmore");
            Assert.Equal("0123456\n\n", (await stream.ReadUntilRegexAsync(BlankLine, maxBytes: 9)).Text());
            Assert.False(stream.IsClosed);
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-06")]
    public async Task ReadUntilRegexAsync_MegabytesInSmallPieces_ComeWhole(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack);
        byte[] message = new byte[4 * 1024 * 1024];
        message.AsSpan().Fill((byte)'x');
        "\r\n\r\n"u8.CopyTo(message.AsSpan(message.Length - 4));
        Task sending = Task.Run(async () =>
        {
            for (int i = 0; i < message.Length; i += 1024)
            {
                await link.SendAsync(message[i..(i + 1024)]);
            }
        }, TestContext.Current.CancellationToken);
        await link.OnLoop(async stream => Assert.Equal(message, await stream.ReadUntilRegexAsync(BlankLine)));
        await sending.WithDeadline();
    }

    [Theory, LoopStacks]
    [Contract("L-STR-07")]
    public async Task ReadUntilRegexAsync_RegexRunsIntoItsTimeLimit_ClosesTheStream(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack);
        var hopeless = new Regex("^(a+)+$", RegexOptions.None, TimeSpan.FromMilliseconds(20));
        await link.OnLoop(async stream =>
        {
            await link.SendAsync(new string('a', 40) + "!");
            StreamClosedException closed =
                await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.ReadUntilRegexAsync(hopeless));
            Assert.IsType<RegexMatchTimeoutException>(Assert.IsType<UnsatisfiableReadException>(closed.InnerException).InnerException);
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-54")]
    public async Task ReadUntilRegexAsync_Cancelled_LeavesTheBytesForTheNextRead(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack);
        await link.OnLoop(async stream =>
        {
            using var cancellation = new CancellationTokenSource();
            Task<byte[]> read = stream.ReadUntilRegexAsync(BlankLine, cancellationToken: cancellation.Token).AsTask();
            await link.SendAsync("half\n");
            await StreamLink.UntilAsync(() => stream.Buffered == 5);
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
            await link.SendAsync("\n");
            Assert.Equal("half\n\n", (await stream.ReadUntilRegexAsync(BlankLine)).Text());
        });
    }

    [Theory, LoopStacks]
    public async Task ReadUntilRegexAsync_BadArguments_Throws(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack, LinkKind.Pipe);
        await link.OnLoop(stream =>
        {
            Assert.Throws<ArgumentNullException>(() => { _ = stream.ReadUntilRegexAsync(null!); });
            Assert.Throws<ArgumentOutOfRangeException>(() => { _ = stream.ReadUntilRegexAsync(BlankLine, maxBytes: 0); });
            Assert.Throws<ArgumentException>(() => { _ = stream.ReadUntilRegexAsync(new Regex("x", RegexOptions.RightToLeft)); });
            return Task.CompletedTask;
        });
    }
}
