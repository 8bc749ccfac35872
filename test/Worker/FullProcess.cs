using System.Net;
using System.Runtime.InteropServices;
using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Protocols;
using LoopBridge.Reactors;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Worker;

/// <summary>
/// A process with a reactor's port and few descriptors, for the tests of that. Says the port, and then obeys lines, answering each with
/// one: "fill" leaves as many descriptors as <c>leave</c>, "free" gives them back, "end" ends it and tells what was logged at warning or
/// above, by names.
/// </summary>
internal static partial class FullProcess
{
    private const int LimitOfFiles = 7; // RLIMIT_NOFILE, Linux
    private const int Limit = 400; // so that the listener keeps 25

    private static readonly List<int> Fillers = [];
    private static int _connected;

    internal static int Run(string engine, LoopDriver driver, int leave)
    {
        var log = new NamesLog();
        var layers = new Stack<IDisposable>();
        IReactor reactor = Create(engine, driver, layers);
        var options = new TransportOptions { Logger = log };
        IListeningPort port = reactor.ListenTcp(
            new IPEndPoint(IPAddress.Loopback, 0), ProtocolFactory.Create(static () => new Greeter()), options);
        var thread = new Thread(() => reactor.Run(installSignalHandlers: false));
        thread.Start();
        Console.WriteLine(((IPEndPoint)port.Host).Port);
        while (Console.ReadLine() is { } order && order != "end")
        {
            string answer = order == "fill" ? Fill(leave) : Free();
            Console.WriteLine(answer);
        }

        reactor.CallFromThread(reactor.Stop);
        thread.Join();
        Console.WriteLine(string.Join(' ', log.Names));
        while (layers.TryPop(out IDisposable? layer))
        {
            layer.Dispose();
        }

        return 0;
    }

    private static IReactor Create(string engine, LoopDriver driver, Stack<IDisposable> layers)
    {
        if (engine == "R/L")
        {
            return OnLoop(Owned(new EventLoop(new EventLoopOptions { Driver = driver })));
        }

        var native = Owned(new Reactor(new ReactorOptions { Driver = driver }));
        return engine == "N" ? native : OnLoop(Owned(new LoopOnReactor(native)));

        ReactorOnLoop OnLoop(IEventLoop loop) => Owned(new ReactorOnLoop(loop));

        T Owned<T>(T layer)
            where T : IDisposable
        {
            layers.Push(layer);
            return layer;
        }
    }

    private static string Fill(int leave)
    {
        // A connection that closes later gives its number to the next client, which would be served.
        SpinWait.SpinUntil(static () => Volatile.Read(ref _connected) == 0);
        _ = GetLimit(LimitOfFiles, out Limits limits);
        if (SetLimit(LimitOfFiles, limits with { Soft = Limit }) != 0)
        {
            return "no limit";
        }

        // The lowest free number is given: all below it are in use. Not to the last one, because the runtime needs a few.
        int duplicate;
        while ((duplicate = Duplicate(0)) >= 0)
        {
            Fillers.Add(duplicate);
            if (duplicate >= Limit - leave - 1)
            {
                break;
            }
        }

        return "full";
    }

    private static string Free()
    {
        Fillers.ForEach(filler => _ = Close(filler));
        Fillers.Clear();
        return "free";
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, out Limits limits);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, in Limits limits);

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [StructLayout(LayoutKind.Sequential)]
    private record struct Limits(ulong Soft, ulong Hard);

    private sealed class Greeter : Protocol
    {
        public override void ConnectionMade()
        {
            Interlocked.Increment(ref _connected);
            Transport.Write("hello"u8);
        }

        public override void ConnectionLost(Exception reason) => Interlocked.Decrement(ref _connected);
    }

    /// <summary>Keeps the names of what was logged.</summary>
    private sealed class NamesLog : ILogger
    {
        private readonly List<string> _names = [];

        internal string[] Names
        {
            get
            {
                lock (_names)
                {
                    return [.. _names];
                }
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_names)
            {
                _names.Add(eventId.Name ?? "");
            }
        }
    }
}
