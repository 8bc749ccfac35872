using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>Against the program <c>openssl</c>, as either side.</summary>
public sealed class TlsOpenSslTests : LoopContract
{
    static TlsOpenSslTests() => RuntimeWarmUp.Run();

    [Theory, LoopStacks("-tls1_2", "-tls1_3")]
    [Contract("L-STR-42")]
    public async Task StartTls_AsServerOfSClient_TalksAndEndsInOrder(LoopStack stack, string version)
    {
        Peer openssl = Peer.Require("openssl");
        LoopThread thread = StartLoop(stack);
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Task<PeerResult> client = openssl.RunAsync(
            "to the server\n", "s_client", "-quiet", version, "-connect", $"{listener.LocalEndPoint}");
        Socket accepted = await listener.AcceptAsync().WithDeadline();
        await thread.RunAsync(async loop =>
        {
            LoopStream stream = LoopStream.FromSocket(loop, accepted).StartTls(TlsLink.ServerOptions());
            Assert.Equal("to the server\n", (await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
            await stream.WriteAsync("to the client\n".Bytes());
            await stream.CloseAsync();
        });
        PeerResult result = await client.WithDeadline();
        Assert.Equal("to the client\n", result.Output);
        Assert.DoesNotContain("unexpected eof", result.Errors, StringComparison.Ordinal); // a FIN without an announcement before
    }

    [Theory, LoopStacks("-tls1_2", "-tls1_3")]
    [Contract("L-STR-42")]
    public async Task StartTls_AsClientOfSServer_TalksAndReadsItsEnd(LoopStack stack, string version)
    {
        Peer openssl = Peer.Require("openssl");
        LoopThread thread = StartLoop(stack);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("loopbridge-tls");
        try
        {
            string key = Path.Combine(folder.FullName, "key.pem");
            string certificate = Path.Combine(folder.FullName, "certificate.pem");
            await File.WriteAllTextAsync(key, TestCertificate.Localhost.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
            await File.WriteAllTextAsync(certificate, TestCertificate.Localhost.ExportCertificatePem());
            using var reserved = new ReservedPort(); // the program reuses addresses
            int port = reserved.Number;
            Task<PeerResult> server = openssl.RunAsync(
                "", "s_server", "-quiet", "-rev", "-naccept", "1", version, "-key", key, "-cert", certificate,
                "-accept", port.ToString(CultureInfo.InvariantCulture), "-4");
            await thread.RunAsync(async loop =>
            {
                LoopStream plain = await ConnectAsync(loop, port, server);
                LoopStream stream = await plain.StartTlsAsync(TlsLink.ClientOptions());
                await stream.WriteAsync("abc\n".Bytes());
                Assert.Equal("cba\n", (await stream.ReadUntilAsync(StreamTestData.NewLine)).Text());
                stream.FinishWriting();
                Assert.Empty(await stream.ReadUntilCloseAsync()); // with its announcement, or this throws
            });
            await server.WithDeadline();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // The program tells nobody when it listens.
    private static async Task<LoopStream> ConnectAsync(LoopBridge.Loops.IEventLoop loop, int port, Task<PeerResult> server)
    {
        while (true)
        {
            try
            {
                return await LoopStream.ConnectAsync(loop, new IPEndPoint(IPAddress.Loopback, port));
            }
            catch (StreamClosedException) when (!server.IsCompleted)
            {
                await Task.Yield(); // refused: not yet
            }
        }
    }
}
