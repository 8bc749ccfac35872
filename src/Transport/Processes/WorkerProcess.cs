using LoopBridge.Interop;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Processes;

/// <summary>
/// What a process knows that <see cref="WorkerProcesses"/> started: its task id and the listening sockets that it shares.
/// </summary>
/// <remarks>
/// Read once, from environment variables, which are removed then: what this process starts is no worker by that. Any thread.
/// </remarks>
public static class WorkerProcess
{
    private static readonly Lazy<(int? TaskId, IReadOnlyList<FileHandleEndPoint> Sockets)> Given = new(Read);

    /// <summary>
    /// The worker's number, from zero; a replacement has that of its predecessor. Null in a process that is no worker. Tornado:
    /// <c>task_id()</c>.
    /// </summary>
    public static int? TaskId => Given.Value.TaskId;

    /// <summary>
    /// The sockets of <see cref="WorkerProcesses.Listen"/>, in its order, bound and listening: all workers accept from the same queue.
    /// </summary>
    /// <remarks>
    /// For Kestrel: <c>options.Listen(endPoint)</c>. For a <see cref="Streams.LoopTcpServer"/>:
    /// <c>server.AddSocket(new SafeSocketHandle((nint)endPoint.FileHandle, ownsHandle: true))</c>.
    /// </remarks>
    /// <exception cref="InvalidOperationException">
    /// A promised socket is not open. Something between the launcher and this process, a wrapper, has closed it.
    /// </exception>
    public static IReadOnlyList<FileHandleEndPoint> ListeningSockets => Given.Value.Sockets;

    private static (int? TaskId, IReadOnlyList<FileHandleEndPoint> Sockets) Read()
    {
        int? taskId = Take(WorkerEnvironment.TaskIdVariable);
        int count = Take(WorkerEnvironment.SocketsVariable) ?? 0;
        var sockets = new List<FileHandleEndPoint>();
        for (int number = WorkerEnvironment.FirstSocket; number < WorkerEnvironment.FirstSocket + count; number++)
        {
            // Inherited here; not to be inherited by what this process starts.
            if (!LibC.SetCloseOnExec(number, on: true).IsOk)
            {
                throw new InvalidOperationException(
                    $"The launcher gave this process {count} listening sockets, but descriptor {number} is not open. "
                    + "Does a wrapper between them close it?");
            }

            sockets.Add(new FileHandleEndPoint((ulong)number, FileHandleType.Auto));
        }

        return (taskId, sockets);
    }

    private static int? Take(string variable)
    {
        string? value = Environment.GetEnvironmentVariable(variable);
        Environment.SetEnvironmentVariable(variable, null);
        return int.TryParse(value, out int number) && number >= 0 ? number : null;
    }
}
