using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using LoopBridge.Bridge;
using LoopBridge.Kestrel;
using LoopBridge.Loops;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LoopBridge.Transport.Tests.Kestrel;

/// <summary>
/// The transport without Kestrel: loops, factory, checking pools and a log. At its end nothing may be left: no block out, no pool open, no
/// connection counted, nothing logged above Debug.
/// </summary>
internal sealed class TransportHost : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _toDispose = [];

    internal TransportHost(
        LoopBridgeMode mode,
        LoopDriver driver,
        LoopScheduling scheduling = LoopScheduling.Adaptive,
        Action<LoopBridgeOptions>? configure = null,
        int loops = 2,
        TimeProvider? clock = null)
    {
        Assert.SkipWhen(driver == LoopDriver.Epoll && !OperatingSystem.IsLinux(), "epoll is Linux only.");
        var options = new LoopBridgeOptions
        {
            Mode = mode,
            Driver = driver,
            Scheduling = scheduling,
            StallLimit = Deadline.Default, // a test's own code may run on the loop, and a loaded machine be slow
        };
        configure?.Invoke(options);
        Options = Microsoft.Extensions.Options.Options.Create(options);
        Loggers = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Trace).AddProvider(Logs));
        Group = LoopGroups.Create(options.Mode, loops, driver, clock, logger: Loggers.CreateLogger("LoopBridge.Loops"), supervision: new LoopSupervision
        {
            OverstayLimit = options.OverstayLimit,
            StallLimit = options.StallLimit,
            MaxWorkerThreads = options.MaxWorkerThreads,
        });
        Factory = new LoopTransportFactory(Group, Options, Pools, Loggers) { Patience = Deadline.Default };
    }

    internal static IPEndPoint AnyPort => new(IPAddress.Loopback, 0);

    /// <summary>What the test wants to be logged above Debug.</summary>
    internal Func<LogEntry, bool> Expected { get; set; } = static _ => false;

    internal LogCollector Logs { get; } = new();

    internal ILoggerFactory Loggers { get; }

    internal IOptions<LoopBridgeOptions> Options { get; }

    internal CheckingPools Pools { get; } = new();

    internal LoopGroup Group { get; }

    internal LoopTransportFactory Factory { get; }

    internal int Connections => Group.Members.Sum(member => member.Connections);

    /// <summary>Binds, and disposes of the listener at the end.</summary>
    internal async Task<IConnectionListener> BindAsync(EndPoint? endPoint = null)
    {
        IConnectionListener listener = await Factory.BindAsync(endPoint ?? AnyPort, TestContext.Current.CancellationToken).WithDeadline();
        _toDispose.Insert(0, listener);
        return listener;
    }

    /// <summary>Binds if need be, connects a client and accepts it. Both ends are disposed of at the end, the client's first.</summary>
    internal async Task<(ConnectionContext Connection, Socket Client)> ConnectAsync(IConnectionListener? listener = null)
    {
        listener ??= await BindAsync();
        Socket client = Dial(listener.EndPoint);
        ConnectionContext? connection = await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline();
        Assert.NotNull(connection);
        _toDispose.Insert(0, connection);
        _toDispose.Insert(0, new Closing(client));
        return (connection, client);
    }

    internal void OwnAtEnd(IAsyncDisposable resource) => _toDispose.Insert(0, resource);

    /// <summary>A connected client.</summary>
    internal static Socket Dial(EndPoint endPoint)
    {
        var client = new Socket(endPoint.AddressFamily, SocketType.Stream, endPoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        try
        {
            client.Connect(endPoint);
            return client;
        }
        catch
        {
            client.Dispose(); // the failure is the test's
            throw;
        }
    }

    /// <summary>
    /// Whether somebody listens there. Asked of the system: a client that tries again and again would fill the queue that is to be emptied.
    /// </summary>
    internal static bool HasListener(IPEndPoint endPoint)
        => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Contains(endPoint);

    /// <summary>Waits until each loop has polled and handled what was there.</summary>
    internal async Task SettleAsync()
    {
        for (int turn = 0; turn < 3; turn++)
        {
            await Task.WhenAll(Group.Members.Select(member => member.MeasureLagAsync())).WithDeadline();
        }
    }

    /// <summary>Runs on the loop of a connection.</summary>
    internal static Task OnLoopOfAsync(ConnectionContext connection, Action action)
    {
        var ran = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Assert.True(connection.Features.Get<ILoopConnectionFeature>()!.Loop.AddCallback(() =>
        {
            action();
            ran.SetResult();
        }));
        return ran.Task.WithDeadline();
    }

    /// <summary>Runs on a loop's thread.</summary>
    internal Task<T> AskAsync<T>(int loop, Func<T> question)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Assert.True(Group.Members[loop].Loop.AddCallback(() => answer.SetResult(question())));
        return answer.Task.WithDeadline();
    }

    internal LogEntry[] LogsOf(string eventName) => [.. Logs.Entries.Where(entry => entry.Category == LoopTransportFactory.LogCategory && entry.Id.Name == eventName)];

    public async ValueTask DisposeAsync()
    {
        // With inline scheduling the end of a test may run on the loop's thread, and what follows blocks until the loops have ended.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        foreach (IAsyncDisposable resource in _toDispose)
        {
            await resource.DisposeAsync().WithDeadline();
        }

        Assert.True(SpinWait.SpinUntil(() => Connections == 0, Deadline.Default), $"{Connections} connections are still counted.");
        Group.Dispose();
        Assert.True(SpinWait.SpinUntil(() => Pools.Outstanding == 0, Deadline.Default), $"{Pools.Outstanding} blocks did not come back.");

        // A connection that is nobody's by then (never handed out, or left to itself by the test) gives its pool back on the thread pool.
        Assert.True(SpinWait.SpinUntil(() => Pools.Open == 0, Deadline.Default), $"{Pools.Open} pools are still open.");
        Assert.DoesNotContain(Logs.Entries, entry => entry.Level >= (entry.Category == "LoopBridge.Loops" ? LogLevel.Warning : LogLevel.Information) && !Expected(entry));
        Loggers.Dispose();
    }

    private sealed class Closing(Socket socket) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
