using LoopBridge.Streams;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class CloseCallbackTests : StreamContract
{
    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-39"), Contract("L-STR-37")]
    public async Task OnClosed_AfterTheClose_RunsInTheNextTurn(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            await stream.CloseAsync();
            var order = new List<string>();
            link.Loop.AddCallback(() => order.Add("before"));
            stream.OnClosed(_ => order.Add("closed"));
            link.Loop.AddCallback(() => order.Add("after"));
            Assert.Empty(order);
            await StreamLink.UntilAsync(() => order.Count == 3);
            Assert.Equal(["before", "closed", "after"], order);
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-38"), Contract("L-STR-16")]
    public async Task Abort_AllKindsPending_EndInOrderAndOnce(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            var order = new List<string>();
            stream.OnClosed(_ => order.Add("closed 1"));
            stream.OnClosed(_ => order.Add("closed 2"));
            Task first = Note(stream.WriteAsync(new byte[StreamLink.MoreThanBuffersHold]), "write 1");
            Task second = Note(stream.WriteAsync(new byte[1]), "write 2");
            Task third = Note(stream.FlushAsync(), "flush");
            Task read = Note(stream.ReadExactlyAsync(new byte[1]), "read");
            stream.Abort();
            stream.Abort();
            _ = stream.CloseAsync();
            Assert.Empty(order);
            await Task.WhenAll(first, second, third, read);
            await stream.CloseAsync();
            Assert.Equal(["read", "write 1", "write 2", "flush", "closed 1", "closed 2"], order);

            async Task Note(ValueTask operation, string name)
            {
                await Assert.ThrowsAsync<StreamClosedException>(operation.AsTask);
                order.Add(name);
            }
        });
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-40"), Contract("L-STR-41")]
    public async Task OnClosed_IdleStream_NoticesThatThePeerFinished(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            int closes = 0;
            Exception? reason = new InvalidOperationException("never told");
            stream.OnClosed(e =>
            {
                reason = e;
                closes++;
            });
            await Task.Yield();
            Assert.False(stream.IsClosed);
            Assert.False(stream.IsReading);
            link.FinishSending();
            await StreamLink.UntilAsync(() => closes > 0);
            Assert.True(stream.IsClosed);
            Assert.Equal(1, closes);
            Assert.Null(reason);
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-40"), Contract("L-STR-23")]
    public async Task OnClosed_IdleStreamReset_GetsTheErrorAndNothingIsLoggedAboveDebug(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack);
        await link.OnLoop(async stream =>
        {
            Exception? reason = null;
            stream.OnClosed(e => reason = e);
            link.Reset();
            await StreamLink.UntilAsync(() => reason is not null);
            Assert.IsType<ConnectionResetException>(reason);
            Assert.Same(stream.Error, reason);
        });
        Assert.Single(Log.Entries, entry => entry.Id.Id == 603);
        Assert.Empty(Log.AtLeast(LogLevel.Information));
    }

    [Theory, LoopStacks(LinkKind.Socket, LinkKind.Pipe)]
    [Contract("L-STR-15"), Contract("L-STR-14"), Contract("L-STR-01")]
    public async Task OnClosed_BytesBufferedWhenThePeerFinishes_WaitsUntilReadsHaveTakenThem(LoopStack stack, LinkKind kind)
    {
        await using StreamLink link = await OpenAsync(stack, kind);
        await link.OnLoop(async stream =>
        {
            var order = new List<string>();
            stream.OnClosed(_ => order.Add("closed"));
            ValueTask<byte[]> read = stream.ReadUntilAsync(StreamTestData.NewLine);
            await link.SendAsync("1\n2\n3\n");
            link.FinishSending();
            order.Add((await read).Text());
            for (int i = 0; i < 2; i++)
            {
                await Task.Yield();
                order.Add((await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
            }

            await StreamLink.UntilAsync(() => order.Count == 4);
            Assert.Equal(["1\n", "2\n", "3\n", "closed"], order);
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-22")]
    public async Task OnClosed_Throws_GoesToTheLoopAndTheOthersStillRun(LoopStack stack)
    {
        await using StreamLink link = await OpenAsync(stack);
        await link.OnLoop(async stream =>
        {
            bool told = false;
            stream.OnClosed(_ => throw new InvalidDataException("mine"));
            stream.OnClosed(_ => told = true);
            await stream.CloseAsync();
            await StreamLink.UntilAsync(() => told && Log.AtLeast(LogLevel.Error).Any());
        });
        Assert.Equal("mine", Log.TakeSingle(LogLevel.Error).Exception?.Message);
    }
}
