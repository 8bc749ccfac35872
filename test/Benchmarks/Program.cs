using System.Runtime.InteropServices;
using LoopBridge.Benchmarks;
using LoopBridge.Benchmarks.CommandLine;
using LoopBridge.Benchmarks.Servers;
using LoopBridge.Benchmarks.Trials;

if (args.Contains(StockEchoServer.Verb))
    return await StockEchoServer.RunAsync(args).ConfigureAwait(false);

if (args.Contains(LoopEchoServer.Verb))
    return await LoopEchoServer.RunAsync(args).ConfigureAwait(false);
if (args.Contains(StackEchoServer.Verb))
    return StackEchoServer.Run(args);
if (args is [ChildTrial.Verb, ..])
    return ChildTrial.RunChild(args);

using var stop = new CancellationTokenSource();
void Stop(PosixSignalContext context)
{
    // Ending at once would orphan the server: unwind instead, so that every child is ended on the way out.
    context.Cancel = true;
    stop.Cancel();
}

using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);

try
{
    BenchmarkOptions? options = OptionsParser.Parse(args);
    if (options is null)
    {
        Console.WriteLine(Usage.Text);
        return ExitCodes.Success;
    }

    return await BenchmarkSession.RunAsync(options, stop.Token).ConfigureAwait(false);
}
catch (Exception) when (stop.IsCancellationRequested)
{
    // Asked for: not a failure to explain. Any exception, since a terminal's Ctrl-C also ends the children whose work we wait for.
    Console.Error.WriteLine("Interrupted; the servers were stopped.");
    return ExitCodes.Interrupted;
}
catch (BenchmarkException e)
{
    // What the user can put right (a typo, a missing tool, a server that does not start): the message says it all.
    Console.Error.WriteLine(e.Message);
    return ExitCodes.CannotRun;
}
