using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>From the clear to TLS: what happens to the old stream, and when it is refused.</summary>
public sealed class TlsUpgradeTests : LoopContract
{
    [Theory, LoopStacks(TlsSide.ServerOnLoop, TlsSide.ServerOnPool)]
    [Contract("L-STR-42")]
    public async Task StartTls_BothSidesAfterAPlainConversation_TalkOnNewStreams(LoopStack stack, TlsSide side)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        Task<string> peer = TalkAsync();
        await thread.RunAsync(async loop =>
        {
            LoopStream plain = link.Plain;
            await plain.WriteAsync("220 ready\r\n".Bytes());
            Assert.Equal("STARTTLS\r\n", (await plain.ReadUntilAsync(StreamTestData.NewLine)).Text());

            // Done, and perhaps still to be sent: it leaves in the clear, before the handshake.
            await plain.WriteAsync("220 go ahead\r\n".Bytes());
            LoopStream secure = await plain.StartTlsAsync(TlsLink.ServerOptions(side));
            Assert.NotSame(plain, secure);
            Assert.Equal("HELO\r\n", (await secure.ReadUntilAsync(StreamTestData.NewLine)).Text());
            await secure.WriteAsync("250 hello\r\n".Bytes());
            Assert.Equal(plain.RemoteEndPoint, secure.RemoteEndPoint);
            Assert.Equal(plain.LocalEndPoint, secure.LocalEndPoint);
        });
        Assert.Equal("250 hello", await peer.WithDeadline());

        async Task<string> TalkAsync()
        {
            var lines = new StreamReader(link.PlainPeer);
            Assert.Equal("220 ready", await lines.ReadLineAsync());
            await link.PlainPeer.WriteAsync("STARTTLS\r\n".Bytes());
            Assert.Equal("220 go ahead", await lines.ReadLineAsync());
            await using SslStream secure = await link.UpgradePeerAsync(side);
            await secure.WriteAsync("HELO\r\n".Bytes());
            return await new StreamReader(secure).ReadLineAsync() ?? "";
        }
    }

    [Theory, LoopStacks]
    [Contract("L-STR-42")]
    public async Task StartTls_TwoLoopStreams_TalkAsClientAndServer(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        (LoopStream server, LoopStream client) = await ConnectAsync(thread);
        await thread.RunAsync(async loop =>
        {
            LoopStream secureServer = server.StartTls(TlsLink.ServerOptions());
            LoopStream secureClient = await client.StartTlsAsync(TlsLink.ClientOptions());
            await secureClient.WriteAsync("to the server\n".Bytes());
            Assert.Equal("to the server\n", (await secureServer.ReadUntilAsync(StreamTestData.NewLine)).Text());
            await secureServer.WriteAsync("to the client\n".Bytes());
            Assert.Equal("to the client\n", (await secureClient.ReadUntilAsync(StreamTestData.NewLine)).Text());
            ValueTask closing = secureClient.CloseAsync();
            Assert.Empty(await secureServer.ReadUntilCloseAsync());
            await closing;
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-42")]
    public async Task StartTls_Afterwards_TheOldStreamIsUnusableAndTheNewOneClosesForIt(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await thread.RunAsync(async loop =>
        {
            LoopStream plain = link.Plain;
            int closed = 0;
            int called = 0;
            plain.Closed.Register(() => closed++);
            plain.OnClosed(_ => called++);
            Task<SslStream> peer = link.UpgradePeerAsync(TlsSide.ServerOnLoop);
            LoopStream secure = plain.StartTls(TlsLink.ServerOptions());
            Assert.Throws<InvalidOperationException>(() => { _ = plain.ReadAsync(new byte[1]); });
            Assert.Throws<InvalidOperationException>(() => { _ = plain.WriteAsync(new byte[1]); });
            Assert.Throws<InvalidOperationException>(() => { _ = plain.StartTls(TlsLink.ServerOptions()); });
            await secure.WaitForHandshakeAsync();
            await peer;
            Assert.Equal(plain.Closed, secure.Closed);
            Assert.False(plain.IsClosed);
            plain.OnClosed(_ => called++);
            await plain.DisposeAsync();
            Assert.True(plain.IsClosed);
            Assert.True(secure.IsClosed);
            await TlsLink.UntilAsync(() => closed == 1 && called == 2);
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-42")]
    public async Task Closed_WatchedBeforeTheUpgrade_FiresWhenTheNewStreamCloses(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        CancellationToken closed = link.Plain.Closed;
        await link.RunAsync(TlsSide.ServerOnLoop, async (_, peer) =>
        {
            Assert.False(closed.IsCancellationRequested);
            await peer.ShutdownAsync();
            await TlsLink.UntilAsync(() => closed.IsCancellationRequested); // noticed although nobody reads, as in L-STR-40
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-43")]
    public async Task StartTls_ReadPending_ThrowsAndTheReadGoesOn(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await thread.RunAsync(async loop =>
        {
            ValueTask<byte[]> read = link.Plain.ReadUntilAsync(StreamTestData.NewLine);
            Assert.Throws<InvalidOperationException>(() => { _ = link.Plain.StartTls(TlsLink.ServerOptions()); });
            await link.PlainPeer.WriteAsync("plain\n".Bytes());
            Assert.Equal("plain\n", (await read).Text());
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-43")]
    public async Task StartTls_WritePending_ThrowsAndTheWriteGoesOn(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await thread.RunAsync(async loop =>
        {
            ValueTask write = link.Plain.WriteAsync(new byte[StreamLink.MoreThanBuffersHold]);
            Assert.Throws<InvalidOperationException>(() => { _ = link.Plain.StartTls(TlsLink.ClientOptions()); });
            await link.PlainPeer.ReadExactlyAsync(new byte[StreamLink.MoreThanBuffersHold]);
            await write;
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-43")]
    public async Task StartTls_BytesReceivedInTheClear_ThrowsAndTheyCanBeRead(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await thread.RunAsync(async loop =>
        {
            // What an attacker on the way puts behind the command, in order that it passes for the client's (CVE-2011-0411).
            await link.PlainPeer.WriteAsync("STARTTLS\ninjected\n".Bytes());
            await link.Plain.ReadUntilAsync(StreamTestData.NewLine);
            Assert.Throws<InvalidOperationException>(() => { _ = link.Plain.StartTls(TlsLink.ServerOptions()); });
            Assert.Equal("injected\n", (await link.Plain.ReadUntilAsync(StreamTestData.NewLine)).Text());
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-43"), Contract("L-STR-53")]
    public async Task StartTls_WritingFinished_ThrowsAndReadingGoesOn(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await thread.RunAsync(async loop =>
        {
            link.Plain.FinishWriting();
            Assert.Throws<InvalidOperationException>(() => { _ = link.Plain.StartTls(TlsLink.ServerOptions()); });
            await link.PlainPeer.WriteAsync("plain\n".Bytes());
            Assert.Equal("plain\n", (await link.Plain.ReadUntilAsync(StreamTestData.NewLine)).Text());
        });
    }

    [Theory, LoopStacks]
    [Contract("L-STR-43")]
    public async Task StartTls_WrongOptionsOrThread_ThrowsAndChangesNothing(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        Assert.Throws<InvalidOperationException>(() => { _ = link.Plain.StartTls(TlsLink.ServerOptions()); });
        await thread.RunAsync(async loop =>
        {
            LoopStream plain = link.Plain;
            Assert.Throws<ArgumentException>(() => { _ = plain.StartTls(new SslServerAuthenticationOptions()); });
            Assert.Throws<ArgumentNullException>(() => { _ = plain.StartTls((SslClientAuthenticationOptions)null!); });
            Assert.Throws<ArgumentOutOfRangeException>(() => { _ = plain.StartTls(TlsLink.ServerOptions(), TimeSpan.Zero); });
            Assert.Throws<InvalidOperationException>(() => { _ = plain.WaitForHandshakeAsync(); });
            var fired = new CancellationToken(canceled: true);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => plain.StartTlsAsync(TlsLink.ServerOptions(), fired).AsTask());
            Assert.Null(plain.Tls);
            await link.PlainPeer.WriteAsync("plain\n".Bytes());
            Assert.Equal("plain\n", (await plain.ReadUntilAsync(StreamTestData.NewLine)).Text());
            await plain.CloseAsync();
            Assert.Throws<StreamClosedException>(() => { _ = plain.StartTls(TlsLink.ServerOptions()); });
        });
    }

    // Who watches for the end looks one byte ahead, which here is the first of the handshake.
    [Theory, LoopStacks]
    [Contract("L-STR-42")]
    public async Task StartTls_ClosedIsWatchedAndTheClientWasFaster_ShakesHands(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await thread.RunAsync(async loop =>
        {
            Assert.False(link.Plain.Closed.IsCancellationRequested);
            Task<SslStream> peer = link.UpgradePeerAsync(TlsSide.ServerOnLoop);
            await TlsLink.UntilAsync(() => link.Plain.Buffered == 1);
            LoopStream secure = await link.Plain.StartTlsAsync(TlsLink.ServerOptions());
            Assert.NotEqual(SslProtocols.None, secure.Tls!.Protocol);
            await peer;
        });
    }

    // Asking for Closed makes the stream look for the end in the next turn, which is the new stream's by then, and so are the bytes.
    [Theory, LoopStacks]
    [Contract("L-STR-42")]
    public async Task StartTls_ClosedAskedForInTheSameTurn_TakesNothingFromTheHandshake(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        TlsLink link = await TlsLink.OpenAsync(this, thread);
        await thread.RunAsync(async loop =>
        {
            using var peer = new SslStream(link.PlainPeer, leaveInnerStreamOpen: true);
            Task shaken = peer.AuthenticateAsClientAsync(TlsLink.ClientOptions()); // its first flight is there when the call returns
            Assert.False(link.Plain.Closed.IsCancellationRequested);
            LoopStream secure = link.Plain.StartTls(TlsLink.ServerOptions());
            await secure.WaitForHandshakeAsync();
            await shaken;
        });
    }

    private async Task<(LoopStream Server, LoopStream Client)> ConnectAsync(LoopThread thread)
    {
        TlsLink one = await TlsLink.OpenAsync(this, thread);
        TlsLink other = await TlsLink.OpenAsync(this, thread);

        // Two links back to back: what comes from one peer goes to the other.
        _ = PassOnAsync(one.PlainPeer, other.PlainPeer);
        _ = PassOnAsync(other.PlainPeer, one.PlainPeer);
        return (one.Plain, other.Plain);
    }

    private static async Task PassOnAsync(NetworkStream from, NetworkStream to)
    {
        try
        {
            await from.CopyToAsync(to);
            to.Socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException)
        {
            // the test is over
        }
    }
}
