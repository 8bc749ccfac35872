using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using LoopBridge;
using LoopBridge.Loops;
using LoopBridge.Processes;
using LoopBridge.Streams;
using LoopBridge.Worker;
using Microsoft.AspNetCore.Connections;

if (args is ["full", var engine, var driver, var leave])
{
    return FullProcess.Run(engine, Enum.Parse<LoopDriver>(driver), int.Parse(leave, CultureInfo.InvariantCulture));
}

if (args is ["fin-on-error", var value])
{
    AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.FinOnError", bool.Parse(value));
    Console.WriteLine(new LoopBridgeOptions().FinOnError);
    return 0;
}

// What the tests of WorkerProcesses start. It greets each connection with its task id and process id, then obeys one line:
// "die" ends it with exit code 3, "end" with 0, anything else closes the connection.
// Without an argument it accepts from the sockets that its launcher gave it; with a port it shares that.
byte[] greeting = Encoding.ASCII.GetBytes($"{WorkerProcess.TaskId} {Environment.ProcessId}\n");
using var loop = new EventLoop(new EventLoopOptions { Name = $"worker {WorkerProcess.TaskId}" });
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
{
    context.Cancel = true; // the way out is the one below
    loop.AddCallback(loop.Stop);
});
var server = new LoopTcpServer(loop, ServeAsync, new LoopTcpServerOptions { ReusePort = args.Length == 1 });
if (args.Length == 1)
{
    server.Listen(int.Parse(args[0], CultureInfo.InvariantCulture), IPAddress.Loopback);
}

foreach (FileHandleEndPoint endPoint in WorkerProcess.ListeningSockets)
{
    server.AddSocket(new SafeSocketHandle((nint)endPoint.FileHandle, ownsHandle: true));
}

loop.Start();
return 0;

async Task ServeAsync(LoopStream stream)
{
    await stream.WriteAsync(greeting);
    switch (Encoding.ASCII.GetString(await stream.ReadUntilAsync("\n"u8.ToArray())))
    {
        case "die\n":
            Environment.Exit(3);
            break;
        case "end\n":
            loop.Stop();
            break;
    }
}
