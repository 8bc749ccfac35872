using System.Buffers;
using System.IO.Pipelines;
using LoopBridge.Protocols;
using LoopBridge.Reactors;
using LoopBridge.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>The same transport over a pair of pipes, as behind TLS; and taking over a stream that others began to read.</summary>
public sealed class PipeTransportTests : ProtocolTest
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Drivers))]
    public async Task Echo_OverPipes_AnswersAndEnds(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var pipes = new Pipes();
        var protocol = new TestProtocol { OnData = (p, data) => p.Transport.Write(data) };
        ReactorTransport transport = await host.On(() => pipes.Begin(host, protocol, default));

        await pipes.ToServer.WriteAsync("ping"u8.ToArray(), Cancellation).WithDeadline();
        ReadResult answer = await pipes.FromServer.ReadAtLeastAsync(4, Cancellation).WithDeadline();
        Assert.Equal("ping"u8.ToArray(), answer.Buffer.ToArray());
        pipes.FromServer.AdvanceTo(answer.Buffer.End);
        await pipes.ToServer.CompleteAsync();

        Assert.IsType<ConnectionDoneException>(await protocol.Lost.WithDeadline());
        await transport.Completion.WithDeadline();
        Assert.Empty(host.Log.Errors);
    }

    [Theory, MemberData(nameof(Drivers))]
    public async Task LoseConnection_OverPipes_FlushesFirst(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var pipes = new Pipes();
        byte[] data = Pattern(1_000_000);
        var protocol = new TestProtocol
        {
            OnMade = p =>
            {
                p.Transport.Write(data);
                p.Transport.LoseConnection();
            },
        };
        await host.On(() => pipes.Begin(host, protocol, default));

        var all = new ArrayBufferWriter<byte>();
        ReadResult result;
        do
        {
            result = await pipes.FromServer.ReadAsync(Cancellation).WithDeadline();
            foreach (ReadOnlyMemory<byte> piece in result.Buffer)
            {
                all.Write(piece.Span);
            }

            pipes.FromServer.AdvanceTo(result.Buffer.End);
        }
        while (!result.IsCompleted);

        AssertSameBytes(data, all.WrittenSpan.ToArray());
        Assert.IsType<ConnectionDoneException>(await protocol.Lost.WithDeadline());
    }

    [Theory, MemberData(nameof(Drivers))]
    public async Task Abort_OverPipes_LostLocally(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var pipes = new Pipes();
        var protocol = new TestProtocol { OnData = (p, _) => p.Transport.AbortConnection() };
        await host.On(() => pipes.Begin(host, protocol, default));
        await pipes.ToServer.WriteAsync("x"u8.ToArray(), Cancellation).WithDeadline();

        Assert.IsType<ConnectionAbortedLocallyException>(await protocol.Lost.WithDeadline());
        await Assert.ThrowsAnyAsync<Exception>(async () => await pipes.FromServer.ReadAsync(Cancellation).WithDeadline());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Begin_BytesReceivedBefore_ComeFirst_AndWaitWhilePaused(bool paused)
    {
        using var host = new ReactorHost(LoopDriver.Auto);
        var pipes = new Pipes();
        byte[] before = Pattern(200_000);
        var protocol = new TestProtocol
        {
            OnMade = p =>
            {
                if (paused)
                {
                    p.Transport.PauseProducing();
                }
            },
        };
        await pipes.ToServer.WriteAsync("after"u8.ToArray(), Cancellation).WithDeadline();
        await host.On(() =>
        {
            byte[] theirs = [.. before];
            pipes.Begin(host, protocol, new ReadOnlySequence<byte>(theirs));
            theirs.AsSpan().Clear(); // the giver's memory, for as long as the call
        });
        if (paused)
        {
            await host.On(() => { });
            Assert.Empty(protocol.Received);
            await host.On(() => protocol.Transport.ResumeProducing());
        }

        await protocol.WaitForBytes(before.Length + 5).WithDeadline();

        AssertSameBytes([.. before, .. "after"u8], protocol.Received);
        Assert.InRange(protocol.LargestDelivery, 1, 64 * 1024);
        await host.On(() => protocol.Transport.AbortConnection());
        await protocol.Lost.WithDeadline();
    }

    private sealed class Pipes : IDuplexPipe
    {
        private readonly Pipe _in = new(new PipeOptions(readerScheduler: PipeScheduler.ThreadPool, useSynchronizationContext: false));
        private readonly Pipe _out = new(new PipeOptions(readerScheduler: PipeScheduler.ThreadPool, useSynchronizationContext: false));

        public PipeReader Input => _in.Reader;

        public PipeWriter Output => _out.Writer;

        internal PipeWriter ToServer => _in.Writer;

        internal PipeReader FromServer => _out.Reader;

        internal ReactorTransport Begin(ReactorHost host, Protocol protocol, in ReadOnlySequence<byte> received)
        {
            var socket = new StreamSocket(host.Loop, new PipeChannel(host.Loop, this, null, null));
            var transport = new ReactorTransport(socket, protocol, host.Options, "over-pipes");
            socket.Start(transport);
            transport.Begin(received);
            return transport;
        }
    }
}
