using System.Net;
using System.Net.Sockets;
using LoopBridge.Loops;
using LoopBridge.Resolvers;
using LoopBridge.Streams;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Sockets;

namespace LoopBridge.Transport.Tests.Streams;

/// <summary>
/// One connect over attempts that the test decides, on a loop whose clock the test moves. What an attempt makes is the text of its address.
/// </summary>
internal sealed class ConnectScript
{
    private readonly IEventLoop _inner;
    private readonly ManualTimeProvider _clock;
    private readonly TimerCountingLoop _loop;
    private readonly HostConnector<string> _connector;
    private readonly Dictionary<string, TaskCompletionSource<string>> _attempts = [];

    internal ConnectScript(IEventLoop loop, ManualTimeProvider clock, TimeSpan? timeout, params string[] addresses)
    {
        _inner = loop;
        _clock = clock;
        _loop = new TimerCountingLoop(loop);
        var resolver = new AnswerResolver([.. addresses.Select(address => new IPEndPoint(IPAddress.Parse(address), 80))]);
        _connector = new HostConnector<string>(_loop, resolver, Attempt, Closed.Add) { Timeout = timeout };
    }

    internal Task<string> Outcome { get; private set; } = Task.FromResult("not begun");

    /// <summary>The addresses attempted, in order.</summary>
    internal List<string> Started { get; } = [];

    /// <summary>Those whose attempt was ended because it was of no use any more.</summary>
    internal List<string> Ended { get; } = [];

    /// <summary>Those that connected too late.</summary>
    internal List<string> Closed { get; } = [];

    internal int PendingTimeouts => _loop.PendingTimeouts;

    /// <summary>Whether attempts obey when they are ended, and do not connect all the same.</summary>
    internal bool AttemptsObey { get; set; } = true;

    internal void Begin(CancellationToken cancellationToken = default)
    {
        _inner.AddCallback(() => { Outcome = _connector.ConnectAsync("host.example", 80, cancellationToken); });
        Run();
    }

    internal void Advance(double seconds)
    {
        _clock.Advance(TimeSpan.FromSeconds(seconds));
        Run();
    }

    internal void Succeed(string address)
    {
        _attempts[address].SetResult(address);
        Run();
    }

    internal void Fail(string address, SocketError error = SocketError.ConnectionRefused)
    {
        _attempts[address].SetException(new SocketException((int)error));
        Run();
    }

    // More turns than any step takes to get through.
    internal void Run() => _inner.RunTurns(12);

    private Task<string> Attempt(IPEndPoint endPoint, CancellationToken cancellationToken)
    {
        string address = endPoint.Address.ToString();
        Started.Add(address);
        var attempt = new TaskCompletionSource<string>();
        _attempts[address] = attempt;
        cancellationToken.Register(() =>
        {
            if (attempt.Task.IsCompleted)
            {
                return;
            }

            Ended.Add(address);
            if (AttemptsObey)
            {
                attempt.SetCanceled(cancellationToken);
            }
        });
        return attempt.Task;
    }

    private sealed class AnswerResolver(IPEndPoint[] answer) : INameResolver
    {
        public ValueTask<NameResolution> ResolveAsync(
            string host, int port, AddressFamily family = AddressFamily.Unspecified, CancellationToken cancellationToken = default)
            => new(new NameResolution(answer, NameResolutionSource.Hosts));
    }
}
