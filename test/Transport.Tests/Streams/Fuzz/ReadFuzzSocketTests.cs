using System.Net;
using System.Net.Sockets;
using LoopBridge.Loops;
using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams.Fuzz;

/// <summary>Fewer of the same cases over real sockets, where the kernel chooses the pieces.</summary>
public sealed class ReadFuzzSocketTests : LoopContract
{
    private const double Share = 0.03;

    [Theory, LoopStacks]
    [Contract("L-STR-03"), Contract("L-STR-04"), Contract("L-STR-05"), Contract("L-STR-07"), Contract("L-STR-08"), Contract("L-STR-09")]
    [Contract("L-STR-10"), Contract("L-STR-11"), Contract("L-STR-13"), Contract("L-STR-14"), Contract("L-STR-17"), Contract("L-STR-18")]
    [Contract("L-STR-27"), Contract("L-STR-54")]
    public void Reads_OverASocket_AnswerAsTheModelDoes(LoopStack stack)
    {
        var thread = StartLoop(stack);
        Socket listener = Own(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        FuzzRun.Check(Share, fuzzCase => thread.RunAsync(loop => RunAsync(loop, listener, fuzzCase)));
    }

    private static async Task RunAsync(IEventLoop loop, Socket listener, FuzzCase fuzzCase)
    {
        LoopStream stream = await LoopStream.ConnectAsync(loop, listener.LocalEndPoint!);
        using Socket peer = await listener.AcceptAsync();
        peer.NoDelay = true;
        Task sending = SendAsync(peer, fuzzCase);
        try
        {
            await new FuzzReader(stream, fuzzCase).RunAsync();
        }
        finally
        {
            stream.Abort();
            await stream.CloseAsync();
            peer.Dispose();
        }

        await sending;
    }

    private static async Task SendAsync(Socket peer, FuzzCase fuzzCase)
    {
        try
        {
            foreach (ReadOnlyMemory<byte> bytes in fuzzCase.Writes())
            {
                await peer.SendAsync(bytes, SocketFlags.None);
                for (int i = 0; i < fuzzCase.SendPause; i++)
                {
                    await Task.Yield();
                }
            }

            switch (fuzzCase.End)
            {
                case FuzzEnd.Orderly:
                    peer.Shutdown(SocketShutdown.Send);
                    break;
                case FuzzEnd.Reset:
                    peer.LingerState = new LingerOption(enable: true, seconds: 0);
                    peer.Dispose();
                    break;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The reader met a limit, or is through.
        }
    }
}
