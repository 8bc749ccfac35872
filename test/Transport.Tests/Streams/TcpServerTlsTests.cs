using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using LoopBridge.Streams;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class TcpServerTlsTests : TcpServerTest
{
    [Theory, LoopStacks]
    [Contract("L-SRV-08")]
    public void Constructor_TlsWithoutCertificate_Throws(LoopStack stack)
        => AssertRejected<ArgumentException>(stack, options => options.Tls = new SslServerAuthenticationOptions(), "certificate");

    [Theory, LoopStacks]
    [Contract("L-SRV-08")]
    public void Constructor_KeyFileWithoutCertificateFile_Throws(LoopStack stack)
        => AssertRejected<ArgumentException>(stack, options => options.CertificateKeyFile = "key.pem", "CertificateFile");

    [Theory, LoopStacks]
    [Contract("L-SRV-08")]
    public void Constructor_CertificateFileMissing_Throws(LoopStack stack)
        => AssertRejected<FileNotFoundException>(stack, options => options.CertificateFile = "/no/such/certificate.pem", "/no/such/certificate.pem");

    [Theory, LoopStacks]
    [Contract("L-SRV-08")]
    public void Constructor_KeyFileMissing_Throws(LoopStack stack)
    {
        using var files = new CertificateFiles();

        AssertRejected<FileNotFoundException>(stack, options =>
        {
            options.CertificateFile = files.Certificate;
            options.CertificateKeyFile = "/no/such/key.pem";
        }, "/no/such/key.pem");
    }

    [Theory, LoopStacks]
    [Contract("L-SRV-08")]
    public void Constructor_CertificateWithoutPrivateKey_Throws(LoopStack stack)
    {
        using X509Certificate2 alone = X509CertificateLoader.LoadCertificate(TestCertificate.Localhost.RawData);

        AssertRejected<ArgumentException>(
            stack, options => options.Tls = new SslServerAuthenticationOptions { ServerCertificate = alone }, "private key");
    }

    [Theory, LoopStacks]
    [Contract("L-SRV-08")]
    public void Constructor_TwoCertificates_Throws(LoopStack stack)
    {
        using var files = new CertificateFiles();

        AssertRejected<ArgumentException>(stack, options =>
        {
            options.Tls = new SslServerAuthenticationOptions { ServerCertificate = TestCertificate.Localhost };
            options.CertificateFile = files.Certificate;
        }, "CertificateFile");
    }

    [Theory, LoopStacks(true, false)]
    public async Task Serve_CertificateOfFiles_ClientsAreServedOverTls(LoopStack stack, bool asPem)
    {
        using var files = new CertificateFiles();
        LoopThread thread = StartLoop(stack);
        LoopTcpServerOptions options = Options;
        options.CertificateFile = asPem ? files.Certificate : files.Pkcs12;
        options.CertificateKeyFile = asPem ? files.Key : null;
        await using LoopTcpServer server = Serve(thread, Greet, options);

        Assert.Equal("hello", await ReadOverTlsAsync(server));
    }

    [Theory, LoopStacks]
    [Contract("L-SRV-09")]
    public async Task Handler_WithTls_IsCalledBeforeTheHandshake(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        var called = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using LoopTcpServer server = Serve(thread, async stream =>
        {
            called.SetResult(stream.Tls is null);
            await Greet(stream);
            await stream.WaitForHandshakeAsync();
            Assert.NotNull(stream.Tls);
        }, WithTls());

        Socket client = Connect(EndPointOf(server)); // says nothing yet
        Assert.True(await called.Task.WithDeadline());

        Assert.Equal("hello", await ReadOverTlsAsync(client));
    }

    [Theory, LoopStacks(true, false)]
    [Contract("L-SRV-09")]
    public async Task Client_DisconnectsAtOnce_LeavesNoTrace(LoopStack stack, bool byReset)
    {
        LoopThread thread = StartLoop(stack);
        int ended = 0;
        await using LoopTcpServer server = Serve(thread, async stream =>
        {
            try
            {
                await Echo(stream);
            }
            finally
            {
                ended++;
            }
        }, WithTls());

        Socket scanner = Connect(EndPointOf(server));
        if (byReset)
        {
            scanner.LingerState = new LingerOption(enable: true, seconds: 0);
        }

        scanner.Dispose();

        await UntilAsync(thread, () => ended == 1 && server.ConnectionCount == 0);
        Assert.Empty(Log.AtLeast(LogLevel.Information));
    }

    private LoopTcpServerOptions WithTls()
    {
        LoopTcpServerOptions options = Options;
        options.Tls = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(TestCertificate.Localhost, null, offline: true),
        };
        return options;
    }

    private void AssertRejected<TException>(LoopStack stack, Action<LoopTcpServerOptions> set, string named)
        where TException : Exception
    {
        LoopTcpServerOptions options = Options;
        set(options);

        TException error = Assert.Throws<TException>(() => new LoopTcpServer(NewLoop(stack), Greet, options));

        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    private Task<string> ReadOverTlsAsync(LoopTcpServer server) => ReadOverTlsAsync(Connect(EndPointOf(server)));

    private static async Task<string> ReadOverTlsAsync(Socket client)
    {
        using var tls = new SslStream(new NetworkStream(client), leaveInnerStreamOpen: false,
            (_, certificate, _, _) => certificate!.GetCertHashString() == TestCertificate.Localhost.GetCertHashString());
        await tls.AuthenticateAsClientAsync("localhost").WithDeadline();
        using var reader = new StreamReader(tls);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken).WithDeadline();
    }

    private sealed class CertificateFiles : IDisposable
    {
        private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("lb-");

        internal CertificateFiles()
        {
            using System.Security.Cryptography.ECDsa key = TestCertificate.Localhost.GetECDsaPrivateKey()!;
            File.WriteAllText(Certificate, TestCertificate.Localhost.ExportCertificatePem());
            File.WriteAllText(Key, key.ExportPkcs8PrivateKeyPem());
            File.WriteAllBytes(Pkcs12, TestCertificate.Localhost.Export(X509ContentType.Pkcs12));
        }

        internal string Certificate => Path.Combine(_directory.FullName, "certificate.pem");

        internal string Key => Path.Combine(_directory.FullName, "key.pem");

        internal string Pkcs12 => Path.Combine(_directory.FullName, "both.pfx");

        public void Dispose() => _directory.Delete(recursive: true);
    }
}
