using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using LoopBridge.Resolvers;
using LoopBridge.Sockets;
using LoopBridge.Streams;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Streams;

public sealed class TcpClientTests : TcpServerTest
{
    /// <summary>The family asked for, and the families the server is there on.</summary>
    public enum Families
    {
        IPv4OfIPv4,
        IPv4OfBoth,
        IPv6OfIPv6,
        IPv6OfBoth,
        AnyOfIPv4,
        AnyOfIPv6,
        AnyOfBoth,
    }

    [Theory, LoopStacks(
        Families.IPv4OfIPv4, Families.IPv4OfBoth, Families.IPv6OfIPv6, Families.IPv6OfBoth, Families.AnyOfIPv4, Families.AnyOfIPv6, Families.AnyOfBoth)]
    [Contract("L-CLI-01")]
    public async Task ConnectAsync_FamiliesOfClientAndServer_Connects(LoopStack stack, Families families)
    {
        (AddressFamily asked, IPAddress? at) = families switch
        {
            Families.IPv4OfIPv4 => (AddressFamily.InterNetwork, IPAddress.Loopback),
            Families.IPv4OfBoth => (AddressFamily.InterNetwork, null),
            Families.IPv6OfIPv6 => (AddressFamily.InterNetworkV6, IPAddress.IPv6Loopback),
            Families.IPv6OfBoth => (AddressFamily.InterNetworkV6, null),
            Families.AnyOfIPv4 => (AddressFamily.Unspecified, IPAddress.Loopback),
            Families.AnyOfIPv6 => (AddressFamily.Unspecified, IPAddress.IPv6Loopback),
            _ => (AddressFamily.Unspecified, null),
        };
        LoopThread thread = StartLoop(stack);
        await using var server = new LoopTcpServer(thread.Loop, Greet, Options);
        server.Listen(0, at);
        using var client = new LoopTcpClient(thread.Loop);

        await thread.RunAsync(async loop =>
        {
            await using LoopStream stream = await client.ConnectAsync("localhost", PortOf(server), new LoopTcpConnectOptions { Family = asked });
            Assert.True(loop.IsOnLoopThread);
            Assert.True(asked == AddressFamily.Unspecified || stream.RemoteEndPoint!.AddressFamily == asked);
            Assert.Equal("hello"u8.ToArray(), await stream.ReadUntilCloseAsync());
        });
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-02")]
    public async Task ConnectAsync_Refused_FailsWithAnIOErrorThatNamesHostPortAndAttempts(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        using var client = new LoopTcpClient(thread.Loop);
        int port = ClosedPort();

        ConnectFailedException error = await Assert.ThrowsAsync<ConnectFailedException>(
            () => client.ConnectAsync("localhost", port, cancellationToken: TestContext.Current.CancellationToken).WithDeadline());

        Assert.IsType<IOException>(error, exactMatch: false);
        Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
        Assert.Equal([$"[::1]:{port}", $"127.0.0.1:{port}"], error.Attempts.Select(attempt => attempt.EndPoint.ToString()));
        Assert.Contains($"localhost:{port}", error.Message, StringComparison.Ordinal);
        Assert.Contains($"127.0.0.1:{port} (", error.Message, StringComparison.Ordinal);
        Assert.Contains($"[::1]:{port} (", error.Message, StringComparison.Ordinal);
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-03")]
    public async Task ConnectAsync_SourceAddressOfNobody_Fails(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        await using LoopTcpServer server = Serve(thread, Greet);
        using var client = new LoopTcpClient(thread.Loop);
        var options = new LoopTcpConnectOptions { SourceAddress = IPAddress.Parse("198.51.100.7") }; // TEST-NET-2, RFC 5737

        ConnectFailedException error = await Assert.ThrowsAsync<ConnectFailedException>(() => ConnectAsync(client, server, options));

        Assert.Equal(SocketError.AddressNotAvailable, error.SocketErrorCode);
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-03")]
    public async Task ConnectAsync_SourceAddress_ConnectsFromIt(LoopStack stack)
    {
        SkipUnless(OperatingSystem.IsLinux(), "All of 127.0.0.0/8 is this machine on Linux only.");
        LoopThread thread = StartLoop(stack);
        await using LoopTcpServer server = Serve(thread, Greet);
        using var client = new LoopTcpClient(thread.Loop);
        var source = IPAddress.Parse("127.0.0.2");

        LoopStream stream = await ConnectAsync(client, server, new LoopTcpConnectOptions { SourceAddress = source });

        Assert.Equal(source, ((IPEndPoint)stream.LocalEndPoint!).Address);
        stream.Abort();
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-04")]
    public async Task ConnectAsync_SourcePortInUse_Fails(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        await using LoopTcpServer server = Serve(thread, Greet);
        using Socket taken = LoopSockets.Bind(0, [IPAddress.Loopback])[0];
        using var client = new LoopTcpClient(thread.Loop);
        var options = new LoopTcpConnectOptions { SourcePort = ((IPEndPoint)taken.LocalEndPoint!).Port };

        ConnectFailedException error = await Assert.ThrowsAsync<ConnectFailedException>(() => ConnectAsync(client, server, options));

        Assert.Equal(SocketError.AddressAlreadyInUse, error.SocketErrorCode);
    }

    [Theory, LoopStacks(true, false)]
    [Contract("L-CLI-04")]
    public async Task ConnectAsync_SourcePortAlone_BindsToTheLoopbackOfTheFamily(LoopStack stack, bool ipv6)
    {
        IPAddress loopback = ipv6 ? IPAddress.IPv6Loopback : IPAddress.Loopback;
        LoopThread thread = StartLoop(stack);
        await using var server = new LoopTcpServer(thread.Loop, Echo, Options);
        server.Listen(0, loopback);
        using var client = new LoopTcpClient(thread.Loop);
        int port = ClosedPort();

        LoopStream stream = await client.ConnectAsync(
            loopback.ToString(), PortOf(server), new LoopTcpConnectOptions { SourcePort = port }, TestContext.Current.CancellationToken).WithDeadline();

        Assert.Equal(new IPEndPoint(loopback, port), stream.LocalEndPoint);
        stream.Abort(); // no TIME_WAIT on either side, which would keep the port
    }

    // The reference never completes here: the bind fails in a callback of the attempt before.
    [Theory, LoopStacks]
    [Contract("L-CLI-04")]
    public async Task ConnectAsync_BindFailsOnALaterAddress_IsAnAttemptThatFails(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        using var resolver = new ScriptedResolver(
            new IPEndPoint(IPAddress.Loopback, ClosedPort()), new IPEndPoint(IPAddress.IPv6Loopback, ClosedPort()));
        using var client = new LoopTcpClient(thread.Loop, resolver);
        var options = new LoopTcpConnectOptions { SourceAddress = IPAddress.Loopback };

        ConnectFailedException error = await Assert.ThrowsAsync<ConnectFailedException>(
            () => client.ConnectAsync("host.example", 80, options, TestContext.Current.CancellationToken).WithDeadline());

        Assert.Equal([SocketError.ConnectionRefused, SocketError.AddressFamilyNotSupported],
            error.Attempts.Select(attempt => ((SocketException)attempt.Error).SocketErrorCode));
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-14")]
    public async Task ConnectAsync_ResolverNeverAnswers_TimesOut(LoopStack stack)
    {
        var clock = new ManualTimeProvider();
        LoopThread thread = StartLoop(stack, clock);
        using var resolver = new ScriptedResolver();
        using var client = new LoopTcpClient(thread.Loop, resolver);
        Task<LoopStream> connecting = client.ConnectAsync(
            "slow.example", 80, new LoopTcpConnectOptions { Timeout = TimeSpan.FromSeconds(3) }, TestContext.Current.CancellationToken);
        await resolver.Asked.WithDeadline();

        clock.Advance(TimeSpan.FromSeconds(3));
        await thread.Do(() => { });

        TimeoutException error = await Assert.ThrowsAsync<TimeoutException>(() => connecting.WithDeadline());
        Assert.Contains("slow.example:80", error.Message, StringComparison.Ordinal);
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-14")]
    public async Task ConnectAsync_ServerNeverShakesHands_TimesOutAndCloses(LoopStack stack)
    {
        var clock = new ManualTimeProvider();
        LoopThread thread = StartLoop(stack, clock);
        using Socket listener = LoopSockets.Bind(0, [IPAddress.Loopback])[0];
        using var client = new LoopTcpClient(thread.Loop);
        Task<LoopStream> connecting = client.ConnectAsync("localhost", ((IPEndPoint)listener.LocalEndPoint!).Port, new LoopTcpConnectOptions
        {
            Timeout = TimeSpan.FromSeconds(3),
            Tls = new SslClientAuthenticationOptions(),
        }, TestContext.Current.CancellationToken);
        using Socket peer = await listener.AcceptAsync(TestContext.Current.CancellationToken).AsTask().WithDeadline();
        byte[] buffer = new byte[4096];
        Assert.NotEqual(0, await peer.ReceiveAsync(buffer).WithDeadline()); // the client's first words; it waits for ours

        clock.Advance(TimeSpan.FromSeconds(3));
        await thread.Do(() => { });

        await Assert.ThrowsAsync<TimeoutException>(() => connecting.WithDeadline());
        Exception? end = await Record.ExceptionAsync(async () =>
        {
            while (await peer.ReceiveAsync(buffer).WithDeadline() > 0)
            {
            }
        });
        Assert.True(end is null or SocketException, end?.ToString());
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-15")]
    public async Task ConnectAsync_Tls_IsUpgradedAndVerifiesTheHost(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        await using LoopTcpServer server = Serve(thread, Greet, WithTls());
        using var client = new LoopTcpClient(thread.Loop);
        SslClientAuthenticationOptions tls = TrustingTheTestCertificate();

        await thread.RunAsync(async _ =>
        {
            await using LoopStream stream = await client.ConnectAsync("localhost", PortOf(server), new LoopTcpConnectOptions { Tls = tls });
            Assert.NotNull(stream.Tls);
            Assert.Equal("hello"u8.ToArray(), await stream.ReadUntilCloseAsync());
        });

        Assert.Null(tls.TargetHost); // the caller's object stays as it was
    }

    // The certificate is for localhost and 127.0.0.1.
    [Theory, LoopStacks]
    [Contract("L-CLI-15")]
    public async Task ConnectAsync_TlsForAnotherHost_FailsAndTheServerGoesOn(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        await using LoopTcpServer server = Serve(thread, Greet, WithTls());
        using var resolver = new ScriptedResolver((IPEndPoint)EndPointOf(server));
        using var client = new LoopTcpClient(thread.Loop, resolver);

        await Assert.ThrowsAsync<AuthenticationException>(() => client.ConnectAsync(
            "other.example", 443, new LoopTcpConnectOptions { Tls = TrustingTheTestCertificate() }, TestContext.Current.CancellationToken).WithDeadline());

        await UntilAsync(thread, () => server.ConnectionCount == 0);
    }

    [Theory, LoopStacks]
    [Contract("L-CLI-15")]
    public async Task Dispose_OwnAndGivenResolver_EndsItsOwnOnly(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        await using LoopTcpServer server = Serve(thread, Greet);
        using var resolver = new ScriptedResolver((IPEndPoint)EndPointOf(server));
        var given = new LoopTcpClient(thread.Loop, resolver);
        var own = new LoopTcpClient(thread.Loop);

        given.Dispose();
        own.Dispose();
        own.Dispose();

        Assert.False(resolver.IsDisposed);
        LoopStream stream = await given.ConnectAsync("host.example", 80, cancellationToken: TestContext.Current.CancellationToken).WithDeadline();
        stream.Abort();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => ConnectAsync(own, server));
    }

    [Theory, LoopStacks]
    public async Task ConnectAsync_Cancelled_EndsWithTheToken(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        using var resolver = new ScriptedResolver();
        using var client = new LoopTcpClient(thread.Loop, resolver);
        using var cancellation = new CancellationTokenSource();
        Task<LoopStream> connecting = client.ConnectAsync("slow.example", 80, cancellationToken: cancellation.Token);
        await resolver.Asked.WithDeadline();

        await cancellation.CancelAsync();

        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting.WithDeadline());
        Assert.Equal(cancellation.Token, error.CancellationToken);
    }

    [Theory, LoopStacks]
    public async Task ConnectAsync_NoSuchName_FailsWithTheResolversError(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        using var client = new LoopTcpClient(thread.Loop);

        await Assert.ThrowsAsync<NameResolutionException>(
            () => client.ConnectAsync("no.such.invalid", 80, cancellationToken: TestContext.Current.CancellationToken).WithDeadline());
    }

    [Theory, LoopStacks]
    public async Task ConnectAsync_LoopIsClosedMeanwhile_Fails(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        using var resolver = new ScriptedResolver();
        using var client = new LoopTcpClient(thread.Loop, resolver);
        Task<LoopStream> connecting = client.ConnectAsync("slow.example", 80, cancellationToken: TestContext.Current.CancellationToken);
        await resolver.Asked.WithDeadline();

        thread.Stop();
        ((IDisposable)thread.Loop).Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => connecting.WithDeadline());
        await Assert.ThrowsAsync<ObjectDisposedException>(
            () => client.ConnectAsync("slow.example", 80, cancellationToken: TestContext.Current.CancellationToken).WithDeadline());
    }

    private static int PortOf(LoopTcpServer server) => ((IPEndPoint)EndPointOf(server)).Port;

    private int ClosedPort() => Own(new ReservedPort()).Number;

    private static Task<LoopStream> ConnectAsync(LoopTcpClient client, LoopTcpServer server, LoopTcpConnectOptions? options = null)
        => client.ConnectAsync("127.0.0.1", PortOf(server), options, TestContext.Current.CancellationToken).WithDeadline();

    private static SslClientAuthenticationOptions TrustingTheTestCertificate() => new()
    {
        RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
            certificate!.GetCertHashString() == TestCertificate.Localhost.GetCertHashString()
            && (errors & SslPolicyErrors.RemoteCertificateNameMismatch) == 0,
    };

    private LoopTcpServerOptions WithTls()
    {
        LoopTcpServerOptions options = Options;
        options.Tls = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(TestCertificate.Localhost, null, offline: true),
        };
        return options;
    }

    /// <summary>Gives its answer to every question; without one it never answers.</summary>
    private sealed class ScriptedResolver(params IPEndPoint[] answer) : INameResolver, IDisposable
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task Asked => _asked.Task;

        internal bool IsDisposed { get; private set; }

        public ValueTask<NameResolution> ResolveAsync(
            string host, int port, AddressFamily family = AddressFamily.Unspecified, CancellationToken cancellationToken = default)
        {
            _asked.TrySetResult();
            return answer.Length > 0
                ? new(new NameResolution(answer, NameResolutionSource.Hosts))
                : new(new TaskCompletionSource<NameResolution>().Task);
        }

        public void Dispose() => IsDisposed = true;
    }
}
