using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>A stream under test on its loop, and the other end in the test's hands: a plain socket, or the far ends of two pipes.</summary>
internal sealed class StreamLink : IAsyncDisposable
{
    /// <summary>More than peer, pipes and kernel hold together while nobody receives.</summary>
    internal const int MoreThanBuffersHold = 12 * 1024 * 1024;

    private const int PeerBuffers = 256 * 1024;

    private readonly LoopThread _thread;
    private readonly Action _finishSending;

    private StreamLink(LoopThread thread, LoopStream stream, Stream peer, Socket? peerSocket, Action finishSending)
    {
        _thread = thread;
        Stream = stream;
        Peer = peer;
        PeerSocket = peerSocket;
        _finishSending = finishSending;
    }

    internal LoopStream Stream { get; }

    internal Stream Peer { get; }

    internal Socket? PeerSocket { get; }

    internal LoopThread Thread => _thread;

    internal IEventLoop Loop => _thread.Loop;

    /// <summary>On the loop of a thread that whoever made it ends.</summary>
    internal static Task<StreamLink> OpenAsync(LoopThread thread, LinkKind kind, LoopStreamOptions? options = null)
        => kind switch
        {
            LinkKind.Pipe => OpenPipeAsync(thread, options),
            LinkKind.Tls => OpenTlsAsync(thread, options),
            _ => OpenSocketAsync(thread, options),
        };

    /// <summary>Runs loop code on the stream.</summary>
    internal Task OnLoop(Func<LoopStream, Task> body) => _thread.RunAsync(_ => body(Stream));

    internal ValueTask SendAsync(string text) => Peer.WriteAsync(Encoding.ASCII.GetBytes(text), TestContext.Current.CancellationToken);

    internal ValueTask SendAsync(byte[] bytes) => Peer.WriteAsync(bytes, TestContext.Current.CancellationToken);

    /// <summary>The peer ends its sending direction, and can still receive.</summary>
    internal void FinishSending() => _finishSending();

    /// <summary>The peer resets the connection. Sockets only.</summary>
    internal void Reset()
    {
        PeerSocket!.LingerState = new LingerOption(enable: true, seconds: 0);
        PeerSocket.Dispose();
    }

    /// <summary>All that the peer receives until the stream finishes sending.</summary>
    internal async Task<byte[]> ReceiveAllAsync()
    {
        var all = new MemoryStream();
        await Peer.CopyToAsync(all, TestContext.Current.CancellationToken);
        return all.ToArray();
    }

    /// <summary>Lets the loop take turns until something holds. Loop code.</summary>
    internal static async Task UntilAsync(Func<bool> condition)
    {
        long start = Environment.TickCount64;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 - start < Deadline.Default.TotalMilliseconds, "It never came about.");
            await Task.Yield();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Stream.Abort();
        await Peer.DisposeAsync();
    }

    private static async Task<StreamLink> OpenSocketAsync(LoopThread thread, LoopStreamOptions? options)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        // Inherited by what it accepts. Left alone, the kernel lets a buffer grow as far as the machine allows, beyond what a test sends.
        listener.ReceiveBufferSize = PeerBuffers;
        listener.SendBufferSize = PeerBuffers;
        listener.Listen();
        LoopStream stream = await LoopStream.ConnectAsync(thread.Loop, listener.LocalEndPoint!, options).WithDeadline();
        Socket peer = await listener.AcceptAsync().WithDeadline();
        peer.NoDelay = true;
        return new StreamLink(thread, stream, new NetworkStream(peer, ownsSocket: true), peer, () => peer.Shutdown(SocketShutdown.Send));
    }

    private static async Task<StreamLink> OpenTlsAsync(LoopThread thread, LoopStreamOptions? options)
    {
        StreamLink plain = await OpenSocketAsync(thread, options);
        var peer = new SslStream(plain.Peer);
        Task shaken = peer.AuthenticateAsClientAsync(TlsLink.ClientOptions());
        LoopStream stream = await thread.RunAsync(_ => plain.Stream.StartTlsAsync(TlsLink.ServerOptions()).AsTask());
        await shaken.WithDeadline();
        return new StreamLink(thread, stream, peer, plain.PeerSocket, () => peer.ShutdownAsync().Wait(Deadline.Default));
    }

    private static async Task<StreamLink> OpenPipeAsync(LoopThread thread, LoopStreamOptions? options)
    {
        var toStream = new Pipe();
        var toPeer = new Pipe();
        LoopStream stream = await thread.RunAsync(loop =>
        {
            var channel = new PipeChannel(loop, new PipeEnd(toStream.Reader, toPeer.Writer), local: null, remote: null);
            var socket = new StreamSocket(loop, channel);
            var opened = new LoopStream(socket, options);
            socket.Start(opened.SocketSink);
            return Task.FromResult(opened);
        });
        var peer = new PipeEndStream(toPeer.Reader, toStream.Writer);
        return new StreamLink(thread, stream, peer, peerSocket: null, () => toStream.Writer.Complete());
    }

    private sealed record PipeEnd(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
