using System.Diagnostics;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using LoopBridge.Bridge;
using LoopBridge.Kestrel;
using LoopBridge.Loops;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoopBridge.Transport.Tests.Kestrel.Adaptive;

/// <summary>Connections whose loop has too much to do: those that take long run elsewhere for a while.</summary>
public sealed class CrowdedConnectionTests
{
    private const int Connections = 6;

    private volatile bool _isBusy = true;

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-78")]
    public async Task CrowdedLoop_ProcessorIsIdle_ConnectionRunsOnAWorkerForASecond(LoopBridgeMode mode, LoopDriver driver)
    {
        Assert.SkipWhen(driver == LoopDriver.Epoll && !OperatingSystem.IsLinux(), "epoll is Linux only.");
        var clock = new ManualTimeProvider(TimeSpan.FromDays(1));
        var options = new LoopBridgeOptions { Mode = mode, Driver = driver, OverstayLimit = Deadline.Default, StallLimit = Deadline.Default };
        int questions = 0;
        using LoopGroup group = LoopGroups.Create(mode, 1, driver, supervision: new LoopSupervision
        {
            OverstayLimit = options.OverstayLimit,
            StallLimit = options.StallLimit,
            MakeProcessors = () => new IdleProcessors(
                buffer => Encoding.ASCII.GetBytes($"cpu  0 0 0 {10 * ++questions} 0 0 0 0 0 0\n", buffer), processors: 2),
        });
        var factory = new LoopTransportFactory(
            group, Microsoft.Extensions.Options.Options.Create(options), new CheckingPools(), NullLoggerFactory.Instance, clock: clock);
        await using IConnectionListener listener = await factory.BindAsync(TransportHost.AnyPort, TestContext.Current.CancellationToken).WithDeadline();
        Socket[] clients = [.. Enumerable.Range(0, Connections).Select(_ => TransportHost.Dial(listener.EndPoint))];
        var handlers = new List<Task>();
        foreach (Socket client in clients)
        {
            handlers.Add(AnswerAsync((await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline())!));
            Assert.Equal(Place.Loop, await AskAsync(client));
        }

        // Each asks again as soon as it is answered, until one is answered by a worker.
        Socket[] moved = [.. (await Task.WhenAll(clients.Select(AskUntilMovedAsync)).WithDeadline()).OfType<Socket>()];
        Assert.NotEmpty(moved);
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(Place.Worker, await AskAsync(moved[0])); // it behaves, and its time is not over
        }

        clock.Advance(ConnectionStanding.TimeAway);
        int onWorkers = 0;
        while (await AskAsync(moved[0]) != Place.Loop)
        {
            Assert.InRange(++onWorkers, 0, 1000); // one good run is enough, but it is counted after its answer has left
        }

        Array.ForEach(clients, static client => client.Dispose());
        await Task.WhenAll(handlers).WithDeadline();
    }

    private async Task<Socket?> AskUntilMovedAsync(Socket client)
    {
        long begun = Stopwatch.GetTimestamp();
        while (_isBusy)
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < Deadline.Default, "Nobody was sent away.");
            if (await AskAsync(client) == Place.Worker)
            {
                _isBusy = false;
                return client;
            }
        }

        return null;
    }

    private static async Task<string> AskAsync(Socket client)
    {
        await client.SendTextAsync("?");
        return (await client.ReceiveUntilAsync(";"))[..^1];
    }

    // Says where it is, and takes its time while the loop shall be crowded.
    private async Task AnswerAsync(ConnectionContext connection)
    {
        while (true)
        {
            ReadResult result = await connection.Transport.Input.ReadAsync(CancellationToken.None);
            if (result.IsCompleted)
            {
                break;
            }

            connection.Transport.Input.AdvanceTo(result.Buffer.End);
            string place = Place.OfCaller();
            long begun = Stopwatch.GetTimestamp();
            while (_isBusy && Stopwatch.GetElapsedTime(begun) < TimeSpan.FromMilliseconds(5))
            {
            }

            await connection.Transport.Output.WriteAsync(Encoding.ASCII.GetBytes(place + ";"), CancellationToken.None);
        }

        await connection.DisposeAsync();
    }
}
