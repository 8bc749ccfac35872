using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using LoopBridge.Resolvers;
using LoopBridge.Testing;

namespace LoopBridge.Resolver.Tests.Etc;

/// <summary>The real getaddrinfo against a name server that takes every question and answers none.</summary>
public sealed class SilentServerTests : IDisposable
{
    // Anywhere in 127/8 is this machine. Not at 127.0.0.x, where its own services on port 53 are, nor where another run's would be.
    private static readonly IPAddress Address = new([127, 83, (byte)Random.Shared.Next(1, 255), (byte)Random.Shared.Next(1, 255)]);

    // Of each measurement the best counts: the times are the resolver's and getaddrinfo's, and a machine that stands still adds its own.
    private const int Attempts = 5;
    private static readonly TimeSpan BeforeTheServersTimeout = TimeSpan.FromSeconds(1.8);
    private static readonly TimeSpan BesideEachOther = TimeSpan.FromSeconds(3.9);

    private readonly Socket _server = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly PrivateEtc _etc = new(resolvConf: $"nameserver {Address}\noptions timeout:2 attempts:1\n", sources: "dns");

    [Fact]
    [Contract("D-12")]
    [Contract("D-25")]
    [Contract("D-23")]
    public async Task Calls_WhenTheServerIsSilent_CanBeCancelledAndEndWithTheServersTimeout()
    {
        Listen();
        TimeSpan best = TimeSpan.MaxValue;
        for (int i = 0; i < Attempts && best > BesideEachOther; i++)
        {
            TimeSpan took = await AskAsync();
            best = took < best ? took : best;
        }

        // Beside each other, not one after the other: one timeout of 2 s, not two or three.
        Assert.InRange(best, TimeSpan.FromSeconds(1.8), BesideEachOther);
    }

    // How long it took until all had failed.
    private async Task<TimeSpan> AskAsync()
    {
        using ThreadedResolver resolver = PrivateEtc.CreateResolver();
        using CancellationTokenSource cts = new();
        long startedAt = Stopwatch.GetTimestamp();
        Task<NameResolution>[] calls = await _etc.RunAsync<Task<NameResolution>[]>(() =>
        [
            Resolve(resolver, "leaving.example", cts.Token),
            Resolve(resolver, "staying.example"),
            Resolve(resolver, "staying.example"),
            Resolve(resolver, "other.example"),
        ]);
        Task<NameResolution> leaving = calls[0];
        Task<NameResolution>[] staying = calls[1..];

        // Questions for all three names are out, in two families each.
        byte[] question = new byte[512];
        for (int i = 0; i < 6; i++)
            await _server.ReceiveAsync(question, TestContext.Current.CancellationToken).AsTask().WithDeadline();

        // CancellationTests measure it; here: not getaddrinfo's 2 s, which the others wait for.
        await cts.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving.WithDeadline());
        int ended = staying.Count(static call => call.IsCompleted);
        int threads = resolver.Threads.Count;
        if (Stopwatch.GetElapsedTime(startedAt) < BeforeTheServersTimeout)
            Assert.Equal((0, 3), (ended, threads));

        foreach (Task<NameResolution> call in staying)
        {
            var e = await Assert.ThrowsAsync<NameResolutionException>(() => call.WithDeadline());
            Assert.Equal((NameResolutionFailure.ServerFailure, true), (e.Reason, e.IsTransient));
        }

        return Stopwatch.GetElapsedTime(startedAt);
    }

    [Fact]
    [Contract("D-13")]
    [Contract("D-17")]
    public async Task Deadline_BeforeTheServersOwn_EndsTheCall()
    {
        Listen();
        TimeSpan best = TimeSpan.MaxValue;
        for (int i = 0; i < Attempts && best >= BeforeTheServersTimeout; i++)
        {
            long startedAt = Stopwatch.GetTimestamp();
            using (ThreadedResolver resolver = PrivateEtc.CreateResolver(new ResolverOptions { Timeout = TimeSpan.FromMilliseconds(200) }))
            {
                Task<NameResolution> call = await _etc.RunAsync(() => Resolve(resolver, "slow.example"));
                var e = await Assert.ThrowsAsync<NameResolutionException>(() => call.WithDeadline());
                Assert.Equal(NameResolutionFailure.Timeout, e.Reason);
            }

            TimeSpan took = Stopwatch.GetElapsedTime(startedAt);
            best = took < best ? took : best;
        }

        // Neither the call nor the dispose waited for getaddrinfo, which gives up after 2 s.
        Assert.True(best < BeforeTheServersTimeout, $"The best of some took {best}.");
    }

    public void Dispose()
    {
        _server.Dispose();
        _etc.Dispose();
    }

    private void Listen()
    {
        try
        {
            _server.Bind(new IPEndPoint(Address, 53));
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AccessDenied or SocketError.AddressAlreadyInUse
            or SocketError.AddressNotAvailable)
        {
            // Expected without the privilege, or where 127/8 is not this machine as a whole.
            PrivateEtc.SkipUnlessRequired($"No port 53 here: {e.SocketErrorCode}.");
            throw;
        }
    }

    private static Task<NameResolution> Resolve(ThreadedResolver resolver, string host, CancellationToken? token = null)
        => resolver.ResolveAsync(host, 443, AddressFamily.Unspecified, token ?? TestContext.Current.CancellationToken).AsTask();
}
