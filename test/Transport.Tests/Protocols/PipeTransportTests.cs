using System.Buffers;
using System.IO.Pipelines;
using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Protocols;
using LoopBridge.Reactors;
using LoopBridge.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>The same transport over a pair of pipes, as behind TLS; and taking over a stream that others began to read.</summary>
public sealed class PipeTransportTests : ProtocolContract
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory, ReactorStacks]
    public async Task Echo_OverPipes_AnswersAndEnds(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var pipes = new Pipes();
        var protocol = new TestProtocol { OnData = (p, data) => p.Transport.Write(data) };
        ReactorTransport transport = await thread.Ask(() => pipes.Begin(thread.Reactor, protocol, Options, default));

        await pipes.ToServer.WriteAsync("ping"u8.ToArray(), Cancellation).WithDeadline();
        ReadResult answer = await pipes.FromServer.ReadAtLeastAsync(4, Cancellation).WithDeadline();
        Assert.Equal("ping"u8.ToArray(), answer.Buffer.ToArray());
        pipes.FromServer.AdvanceTo(answer.Buffer.End);
        await pipes.ToServer.CompleteAsync();

        Assert.IsType<ConnectionDoneException>(await protocol.Lost.WithDeadline());
        await transport.Completion.WithDeadline();
    }

    [Theory, ReactorStacks]
    public async Task LoseConnection_OverPipes_FlushesFirst(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
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
        await thread.Do(() => pipes.Begin(thread.Reactor, protocol, Options, default));

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

    [Theory, ReactorStacks]
    public async Task Abort_OverPipes_LostLocally(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var pipes = new Pipes();
        var protocol = new TestProtocol { OnData = (p, _) => p.Transport.AbortConnection() };
        await thread.Do(() => pipes.Begin(thread.Reactor, protocol, Options, default));
        await pipes.ToServer.WriteAsync("x"u8.ToArray(), Cancellation).WithDeadline();

        Assert.IsType<ConnectionAbortedLocallyException>(await protocol.Lost.WithDeadline());
        await Assert.ThrowsAnyAsync<Exception>(async () => await pipes.FromServer.ReadAsync(Cancellation).WithDeadline());
    }

    [Theory, ReactorStacks(false, true)]
    public async Task Begin_BytesReceivedBefore_ComeFirst_AndWaitWhilePaused(ReactorStack stack, bool paused)
    {
        ReactorThread thread = StartReactor(stack);
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
        await thread.Do(() =>
        {
            byte[] theirs = [.. before];
            pipes.Begin(thread.Reactor, protocol, Options, new ReadOnlySequence<byte>(theirs));
            theirs.AsSpan().Clear(); // the giver's memory, for as long as the call
        });
        if (paused)
        {
            await thread.Turn();
            Assert.Empty(protocol.Received);
            await thread.Do(() => protocol.Transport.ResumeProducing());
        }

        await protocol.WaitForBytes(before.Length + 5).WithDeadline();

        AssertSameBytes([.. before, .. "after"u8], protocol.Received);
        Assert.InRange(protocol.LargestDelivery, 1, 64 * 1024);
        await thread.Do(() => protocol.Transport.AbortConnection());
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

        internal ReactorTransport Begin(
            IReactor reactor, Protocol protocol, TransportOptions options, in ReadOnlySequence<byte> received)
        {
            IEventLoop loop = reactor.GetLoop();
            var socket = new StreamSocket(loop, new PipeChannel(loop, this, null, null));
            var transport = new ReactorTransport(socket, protocol, options, "over-pipes");
            socket.Start(transport);
            transport.Begin(received);
            return transport;
        }
    }
}
