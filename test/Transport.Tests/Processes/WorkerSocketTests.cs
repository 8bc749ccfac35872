using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using LoopBridge.Processes;
using LoopBridge.Sockets;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Processes;

/// <summary>Several processes that serve one port: the program under test/Worker, started by the launcher.</summary>
public sealed class WorkerSocketTests : ProcessContract
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "LoopBridge.Worker.dll");

    [Theory, LoopStacks]
    [Contract("L-SRV-10"), Contract("L-SRV-11"), Contract("L-PROC-01")]
    public async Task Listen_SocketsShared_WorkersServeAreReplacedAndEnd(LoopStack stack)
    {
        // Where a loop exists already: what a fork would refuse (L-SRV-11).
        LoopThread thread = StartLoop(stack);
        using var workers = new WorkerProcesses(thread.Loop, Workers(2), Log.CreateLogger("workers"));
        EndPoint first = workers.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        EndPoint second = workers.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        Task run = workers.RunAsync(TestContext.Current.CancellationToken);

        // Both sockets, and both workers: one that has a client and asks for nothing leaves the next client to the other in the end.
        (string id, string process) = await AskAsync(first, "");
        Assert.Equal(id, (await UntilAsync(second, answer => answer.Id == id, "")).Id);
        await UntilAsync(first, answer => answer.Id != id, "");

        // The one that dies comes back under its id as another process; meanwhile clients wait or are served by the other.
        (string dead, string deadProcess) = await AskAsync(first, "die");
        await UntilAsync(first, answer => answer.Id == dead && answer.Process != deadProcess, "");
        Assert.Contains($"Worker {dead}", Log.TakeSingle(LogLevel.Warning).Message, StringComparison.Ordinal);
        Assert.NotEmpty(process);

        // One by one they end normally, and then the run is done.
        (string ended, _) = await AskAsync(second, "end");
        await UntilAsync(second, answer => answer.Id != ended, "end");
        await run.WithDeadline();
    }

    [Theory, LoopStacks]
    [Contract("L-SRV-10")]
    public async Task RunAsync_WorkersShareThePort_AllServeUntilStopped(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);

        // Holds the number, without listening, until the workers have it.
        using var placeholder = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        SetReusePort(placeholder);
        placeholder.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        EndPoint endPoint = placeholder.LocalEndPoint!;
        using var stop = new CancellationTokenSource();
        string port = ((IPEndPoint)endPoint).Port.ToString(CultureInfo.InvariantCulture);
        using var workers = new WorkerProcesses(thread.Loop, Workers(2, port), Log.CreateLogger("workers"));
        Task run = workers.RunAsync(stop.Token);
        await UntilAsync(endPoint, answer => answer.Id == "0", "");
        await UntilAsync(endPoint, answer => answer.Id == "1", "");
        await stop.CancelAsync();
        await run.WithDeadline();
    }

    [Theory, LoopStacks]
    [Contract("L-SRV-10")]
    public void Listen_AfterTheRunOrTheEnd_Throws(LoopStack stack)
    {
        var workers = new WorkerProcesses(NewLoop(stack), Workers(1));
        EndPoint taken = workers.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        Assert.Throws<CannotListenException>(() => workers.Listen(taken));
        workers.Dispose();
        Assert.Throws<InvalidOperationException>(() => workers.Listen(new IPEndPoint(IPAddress.Loopback, 0)));
        Assert.Throws<InvalidOperationException>(() => { _ = workers.RunAsync(TestContext.Current.CancellationToken); });
    }

    private WorkerProcessesOptions Workers(int count, params string[] arguments)
    {
        var options = new WorkerProcessesOptions(new LoopProcessStartInfo(DotNet(), [Program, .. arguments]))
        {
            Count = count,
            RestartDelay = TimeSpan.Zero,
        };
        options.Started += (_, process) => KillAtEnd(process);
        return options;
    }

    // The one that runs this process: the runtime's folder is shared/Microsoft.NETCore.App/<version> below it.
    private static string DotNet() => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));

    private static async Task<(string Id, string Process)> UntilAsync(
        EndPoint endPoint, Func<(string Id, string Process), bool> isWanted, string command)
    {
        long start = Environment.TickCount64;
        var others = new List<Socket>();
        try
        {
            while (true)
            {
                bool inTime = Environment.TickCount64 - start < Deadline.Default.TotalMilliseconds;
                Assert.True(inTime, "No worker gave the answer that was waited for.");
                if (await TryConnectAsync(endPoint) is not { } client)
                {
                    continue; // nobody listens yet
                }

                others.Add(client);
                (string Id, string Process) answer = await GreetingAsync(client);
                if (answer.Id.Length > 0 && isWanted(answer))
                {
                    await client.SendAsync(System.Text.Encoding.ASCII.GetBytes(command + "\n")).WithDeadline();
                    return answer;
                }
            }
        }
        finally
        {
            others.ForEach(client => client.Dispose());
        }
    }

    private static Task<(string Id, string Process)> AskAsync(EndPoint endPoint, string command)
        => UntilAsync(endPoint, _ => true, command);

    private static async Task<Socket?> TryConnectAsync(EndPoint endPoint)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await client.ConnectAsync(endPoint).WithDeadline();
            return client;
        }
        catch (SocketException)
        {
            client.Dispose(); // refused: the worker has not come so far
            return null;
        }
    }

    private static async Task<(string Id, string Process)> GreetingAsync(Socket client)
    {
        using var reader = new StreamReader(new NetworkStream(client, ownsSocket: false));
        string[] parts = (await reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WithDeadline())?.Split(' ') ?? [];
        return parts.Length == 2 ? (parts[0], parts[1]) : ("", ""); // none: that worker ended with the connection in its hands
    }

    private static void SetReusePort(Socket socket)
    {
        // SOL_SOCKET and SO_REUSEPORT of Linux, which .NET has no name for.
        socket.SetRawSocketOption(1, 15, BitConverter.GetBytes(1));
    }
}
