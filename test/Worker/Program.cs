using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Processes;
using LoopBridge.Sockets;
using LoopBridge.Streams;
using Microsoft.Extensions.Logging.Abstractions;

// What the tests of WorkerProcesses start. It greets each connection with its task id and process id, then obeys one line:
// "die" ends it with exit code 3, "end" with 0, anything else closes the connection.
// Without an argument it accepts from the sockets that its launcher gave it; with a port it shares that.
bool shares = args.Length == 1;
EndPoint[] endPoints = shares
    ? [new IPEndPoint(IPAddress.Loopback, int.Parse(args[0], CultureInfo.InvariantCulture))]
    : [.. WorkerProcess.ListeningSockets];
byte[] greeting = Encoding.ASCII.GetBytes($"{WorkerProcess.TaskId} {Environment.ProcessId}\n");
var settings = new ListenSettings { ReusePort = shares };
using var loop = new EventLoop(new EventLoopOptions { Name = $"worker {WorkerProcess.TaskId}" });
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
{
    context.Cancel = true; // the way out is the one below
    loop.AddCallback(loop.Stop);
});
loop.AddCallback(() =>
{
    foreach (EndPoint endPoint in endPoints)
    {
        RawSocket socket = ListeningSockets.Listen(HandlerSocketDriver.For(loop), endPoint, settings);
        new SocketListener(loop, socket, settings, accepted => _ = ServeAsync(accepted), NullLogger.Instance).Start();
    }
});
loop.Start();
return 0;

async Task ServeAsync(RawSocket accepted)
{
    SynchronizationContext.SetSynchronizationContext(loop.SynchronizationContext);
    var socket = new StreamSocket(loop, HandlerSocketDriver.For(loop).OpenStream(accepted), StreamSocketOptions.Default);
    await using var stream = new LoopStream(socket);
    socket.Start(stream.SocketSink);
    try
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
    catch (StreamClosedException)
    {
        // The client has seen enough.
    }
}
