using System.Net;
using System.Net.Sockets;
using LoopBridge.Loops;
using LoopBridge.Resolvers;
using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>What a connect brings along when it succeeds, and what it leaves behind when it does not: nothing.</summary>
public sealed class ConnectOutcomeTests : StreamContract
{
    private LoopStreamOptions Options => new() { Logger = StreamLogger };

    // The loop does not turn before the peer has spoken: the connect and its first bytes are one report of the system's.
    [Theory, LoopStacks]
    [Contract("L-STR-29")]
    public async Task Connect_BytesComeTogetherWithTheConnect_ReachTheReadThatWaits(LoopStack stack)
    {
        using Socket listener = SocketPairs.Listen();
        await StartLoop(stack).RunAsync(async loop =>
        {
            await using LoopStream stream = LoopStream.Connect(loop, listener.LocalEndPoint!, Options);
            ValueTask<byte[]> read = stream.ReadUntilAsync(StreamTestData.NewLine);
            using Socket peer = AcceptWithinTheTurn(listener);
            peer.Send("220 ready\n".Bytes());
            Assert.Equal("220 ready\n", (await read).Text());
            Assert.True(stream.Connected.IsCompletedSuccessfully);
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-35"), Contract("L-STR-38")]
    public async Task Connect_Refused_ClosesItsSocketBeforeItTells(LoopStack stack)
    {
        SkipUnless(OperatingSystem.IsLinux(), "Sockets are found by /proc on Linux only.");
        IPEndPoint nobody = Nobody();
        await StartLoop(stack).RunAsync(async loop =>
        {
            string[] before = [.. LeakCheck.Open()];
            LoopStream stream = LoopStream.Connect(loop, nobody, Options);
            await Assert.ThrowsAsync<StreamClosedException>(() => stream.Connected);
            Assert.DoesNotContain(LeakCheck.Open().Except(before), entry => entry.Contains("socket:", StringComparison.Ordinal));
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-38")]
    public async Task CloseAsync_WhileTheNameIsLookedUp_CancelsThat(LoopStack stack)
    {
        using var resolver = new LateResolver();
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopStream stream = Connect(loop, resolver);
            await stream.CloseAsync();
            Assert.True(resolver.IsCancelled);
            await Assert.ThrowsAsync<StreamClosedException>(() => stream.Connected);
            Assert.Null(stream.Error);
        });
    }

    // A resolver need not obey.
    [Theory, LoopStacks]
    [Contract("L-STR-38")]
    public async Task CloseAsync_TheNameIsFoundAllTheSame_ConnectsNoMore(LoopStack stack)
    {
        using Socket listener = SocketPairs.Listen();
        using var resolver = new LateResolver();
        await StartLoop(stack).RunAsync(async inner =>
        {
            var loop = new HandlerRecordingLoop(inner);
            LoopStream stream = Connect(loop, resolver);
            await stream.CloseAsync();
            resolver.Answer((IPEndPoint)listener.LocalEndPoint!);
            await Task.Yield();
            await Task.Yield();
            Assert.False(loop.IsWatched);
            Assert.False(listener.Poll(TimeSpan.Zero, SelectMode.SelectRead), "Somebody has connected.");
        });
    }

    [Theory, LoopStacks(true, false)]
    [Contract("L-STR-41")]
    public async Task Connect_NoDelay_IsThatOfTheOptions(LoopStack stack, bool noDelay)
    {
        SkipUnless(OperatingSystem.IsLinux(), "Sockets are found by /proc on Linux only.");
        using Socket listener = SocketPairs.Listen();
        await StartLoop(stack).RunAsync(async loop =>
        {
            string[] before = [.. LeakCheck.Open()];
            await using LoopStream stream = LoopStream.Connect(
                loop, listener.LocalEndPoint!, new LoopStreamOptions { Logger = StreamLogger, NoDelay = noDelay });
            await stream.Connected;
            string made = Assert.Single(LeakCheck.Open().Except(before), entry => entry.Contains("socket:", StringComparison.Ordinal));
            using Socket borrowed = SocketPairs.Borrow(made[(made.IndexOf(' ') + 1)..]);
            Assert.Equal(noDelay, borrowed.NoDelay);
        });
    }

    private LoopStream Connect(IEventLoop loop, LateResolver resolver)
        => LoopStream.Connect(
            loop, new DnsEndPoint("late.example", 80), new LoopStreamOptions { Logger = StreamLogger, Resolver = resolver });

    // Blocks the loop on purpose, for as long as the kernel takes to shake hands with itself.
    private static Socket AcceptWithinTheTurn(Socket listener)
    {
        Assert.True(listener.Poll(Deadline.Default, SelectMode.SelectRead), "Nobody has connected.");
        return listener.Accept();
    }

    /// <summary>Answers when the test does, cancelled or not.</summary>
    private sealed class LateResolver : INameResolver, IDisposable
    {
        private readonly TaskCompletionSource<NameResolution> _answer = new();
        private CancellationTokenRegistration _registration;

        internal bool IsCancelled { get; private set; }

        internal void Answer(IPEndPoint endPoint) => _answer.SetResult(new NameResolution([endPoint], NameResolutionSource.Hosts));

        public ValueTask<NameResolution> ResolveAsync(
            string host, int port, AddressFamily family = AddressFamily.Unspecified, CancellationToken cancellationToken = default)
        {
            _registration = cancellationToken.Register(() => IsCancelled = true);
            return new(_answer.Task);
        }

        public void Dispose() => _registration.Dispose();
    }
}
