using System.Text;
using LoopBridge.Protocols;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>Lines over a connection: pauses and ends between two of them.</summary>
public sealed class LineReceiverTransportTests : ProtocolContract
{
    [Theory, ReactorStacks]
    [Contract("R-PROTO-02"), Contract("R-PROD-11")]
    public async Task Pause_InsideADelivery_HoldsTheNextLineUntilResume(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new ScriptedLines((p, _) => p.Transport.PauseProducing());
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync("one\r\ntwo\r\nthree\r\n"u8.ToArray());

        for (int count = 1; count <= 3; count++)
        {
            await protocol.WaitForLines(count).WithDeadline();
            await thread.Turn();
            await thread.Turn();
            Assert.Equal(count, protocol.Lines.Count);
            await thread.Do(() => protocol.Transport.ResumeProducing());
        }

        Assert.Equal(["one", "two", "three"], protocol.Lines);
    }

    [Theory, ReactorStacks]
    [Contract("R-PROTO-02")]
    public async Task Pause_BeforeRawMode_HoldsTheRawDataUntilResume(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new ScriptedLines((p, _) =>
        {
            p.SetRawMode();
            p.Transport.PauseProducing();
        });
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync("go raw\r\n\r\nraw\r\n"u8.ToArray());
        await protocol.WaitForLines(1).WithDeadline();
        await thread.Turn();
        Assert.Empty(protocol.Raw);

        await thread.Do(() => protocol.Transport.ResumeProducing());
        peer.FinishSending();
        await protocol.Lost.WithDeadline();

        Assert.Equal("\r\nraw\r\n", protocol.Raw);
        Assert.Equal(["go raw"], protocol.Lines);
    }

    [Theory, ReactorStacks]
    [Contract("R-PROTO-03")]
    public async Task LoseConnection_InsideADelivery_NoFurtherLine(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new ScriptedLines((p, line) =>
        {
            p.SendLine("bye"u8);
            p.Transport.LoseConnection();
        });
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync("one\r\ntwo\r\n"u8.ToArray());

        Assert.Equal("bye\r\n"u8.ToArray(), await peer.ReadToEndAsync());
        Assert.IsType<ConnectionDoneException>(await protocol.Lost.WithDeadline());
        Assert.Equal(["one"], protocol.Lines);
    }

    [Theory, ReactorStacks]
    [Contract("R-PROTO-05")]
    public async Task LineTooLong_ConnectionClosedWithTheReason_ShorterOnesCame(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new ScriptedLines((_, _) => { }) { MaxLineLength = 10 };
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync("short\r\nmuch too long"u8.ToArray());

        Assert.Empty(await peer.ReadToEndAsync());
        Assert.IsType<MalformedInputException>(await protocol.Lost.WithDeadline());
        Assert.Equal(["short"], protocol.Lines);
        Assert.Single(Logged("MalformedInput"));
    }

    [Theory, ReactorStacks]
    public async Task Pipelined_LargeAnswers_LinesWaitForThePeerToRead(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        byte[] answer = Pattern(100_000);
        const int Requests = 1000;
        var protocol = new ScriptedLines((p, _) => p.Transport.Write(answer));
        Options.MaxUnsentBytes = 1_000_000; // a hundredth of all answers
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("get\r\n", Requests))));
        peer.FinishSending();

        byte[] all = await peer.ReadToEndAsync();

        Assert.Equal(Requests * answer.Length, all.Length);
        AssertSameBytes(answer, all[^answer.Length..]);
        Assert.IsType<ConnectionDoneException>(await protocol.Lost.WithDeadline());
    }

    private sealed class ScriptedLines(Action<ScriptedLines, string> onLine) : LineReceiver
    {
        private readonly TaskCompletionSource<Exception> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly SemaphoreSlim _arrived = new(0);
        private readonly List<string> _lines = [];
        private int _awaited;

        internal IReadOnlyList<string> Lines
        {
            get
            {
                lock (_lines)
                {
                    return [.. _lines];
                }
            }
        }

        internal Task<Exception> Lost => _lost.Task;

        internal string Raw { get; private set; } = "";

        internal async Task WaitForLines(int count)
        {
            for (; _awaited < count; _awaited++)
            {
                await _arrived.WaitAsync();
            }
        }

        public override void LineReceived(ReadOnlySpan<byte> line)
        {
            string text = Encoding.ASCII.GetString(line);
            lock (_lines)
            {
                _lines.Add(text);
            }

            onLine(this, text);
            _arrived.Release();
        }

        public override void RawDataReceived(ReadOnlySpan<byte> data) => Raw += Encoding.ASCII.GetString(data);

        public override void ConnectionLost(Exception reason) => _lost.TrySetResult(reason);
    }
}
