using System.Diagnostics;
using System.Net;
using LoopBridge.Loops;

namespace LoopBridge.Sockets;

/// <summary>
/// Connects to the first of several addresses that answers, without making the user wait for a family that does not work: "Happy Eyeballs"
/// (RFC 6555) as Tornado's connector does it, with at most one attempt for each family at a time.
/// </summary>
/// <remarks>
/// The addresses of the first one's family are tried one after the other. Those of the other family join in when an attempt fails, or
/// after 0.3 s. It times by the loop alone and does not know what an attempt is. Loop thread, under the loop's context.
/// </remarks>
/// <typeparam name="TConnection">What an attempt makes.</typeparam>
internal sealed class AddressConnector<TConnection>
{
    /// <summary>How long the second family waits: RFC 6555, section 5.5, and Tornado.</summary>
    internal static readonly TimeSpan Stagger = TimeSpan.FromSeconds(0.3);

    private readonly IEventLoop _loop;
    private readonly Func<IPEndPoint, CancellationToken, Task<TConnection>> _connect;
    private readonly Action<TConnection> _close;
    private readonly Queue<IPEndPoint> _first;
    private readonly Queue<IPEndPoint> _second;
    private readonly List<ConnectAttempt> _failed;
    private readonly CancellationToken _attempts;
    private readonly string _target;
    private readonly TaskCompletionSource<TConnection> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenRegistration _cancellation;
    private LoopTimeout? _timer;
    private int _open;

    private AddressConnector(
        IEventLoop loop,
        IReadOnlyList<IPEndPoint> endPoints,
        Func<IPEndPoint, CancellationToken, Task<TConnection>> connect,
        Action<TConnection> close,
        string target,
        List<ConnectAttempt> failed,
        CancellationToken attempts,
        CancellationToken cancellationToken)
    {
        _loop = loop;
        _connect = connect;
        _close = close;
        _target = target;
        _failed = failed;
        _attempts = attempts;
        (_first, _second) = Split(endPoints);
        _cancellation = cancellationToken.UnsafeRegister(
            static (self, token) => ((AddressConnector<TConnection>)self!).RequestCancel(token), this);
    }

    /// <summary>Tries the addresses.</summary>
    /// <param name="loop">Runs the timer and the continuations.</param>
    /// <param name="endPoints">The best first. None: fails at once.</param>
    /// <param name="connect">Makes one attempt; its token fires when the attempt is of no use any more.</param>
    /// <param name="close">Closes what came too late.</param>
    /// <param name="target">What the addresses are of, for the message of a failure.</param>
    /// <param name="failed">Gets each failure as it comes; whoever ends the wait can tell what has been tried.</param>
    /// <param name="cancellationToken">Ends the wait and the attempts.</param>
    /// <returns>The first that connects.</returns>
    /// <exception cref="ConnectFailedException">All have failed; its cause is the last one's error. Or there was none to try.</exception>
    internal static async Task<TConnection> ConnectAsync(
        IEventLoop loop,
        IReadOnlyList<IPEndPoint> endPoints,
        Func<IPEndPoint, CancellationToken, Task<TConnection>> connect,
        Action<TConnection> close,
        string target,
        List<ConnectAttempt> failed,
        CancellationToken cancellationToken)
    {
        Debug.Assert(SynchronizationContext.Current == loop.SynchronizationContext, "The attempts would end off the loop.");
        cancellationToken.ThrowIfCancellationRequested();
        using var attempts = new CancellationTokenSource();
        var connector = new AddressConnector<TConnection>(
            loop, endPoints, connect, close, target, failed, attempts.Token, cancellationToken);
        connector.Start();
        try
        {
            return await connector._outcome.Task;
        }
        finally
        {
            attempts.Cancel(); // those that still go on are of no use any more
        }
    }

    /// <summary>Those of the first one's family, and all others, in their order.</summary>
    internal static (Queue<IPEndPoint> First, Queue<IPEndPoint> Second) Split(IReadOnlyList<IPEndPoint> endPoints)
    {
        var first = new Queue<IPEndPoint>();
        var second = new Queue<IPEndPoint>();
        foreach (IPEndPoint endPoint in endPoints)
        {
            (endPoint.AddressFamily == endPoints[0].AddressFamily ? first : second).Enqueue(endPoint);
        }

        return (first, second);
    }

    private void Start()
    {
        _open = _first.Count + _second.Count;
        if (_second.Count > 0)
        {
            _timer = _loop.CallLater(Stagger, static self => ((AddressConnector<TConnection>)self!).StartSecond(), this);
        }

        TryNext(_first);
    }

    private void TryNext(Queue<IPEndPoint> family)
    {
        if (family.TryDequeue(out IPEndPoint? endPoint))
        {
            _ = AttemptAsync(family, endPoint);
        }
        else if (_open == 0)
        {
            var error = new ConnectFailedException(_target, _failed);
            End(outcome => outcome.TrySetException(error));
        }
    }

    private async Task AttemptAsync(Queue<IPEndPoint> family, IPEndPoint endPoint)
    {
        TConnection connection;
        try
        {
            connection = await _connect(endPoint, _attempts);
        }
        catch (Exception e)
        {
            OnFailed(family, endPoint, e); // refused, unreachable, could not be bound: another address may do
            return;
        }

        OnConnected(connection);
    }

    private void OnConnected(TConnection connection)
    {
        if (_outcome.Task.IsCompleted)
        {
            _close(connection); // too late
        }
        else
        {
            End(outcome => outcome.TrySetResult(connection));
        }
    }

    private void OnFailed(Queue<IPEndPoint> family, IPEndPoint endPoint, Exception error)
    {
        if (_outcome.Task.IsCompleted)
        {
            return; // most likely because it was ended: nobody waits for it any more
        }

        _open--;
        _failed.Add(new ConnectAttempt(endPoint, error));
        TryNext(family);
        if (_timer is not null)
        {
            _loop.RemoveTimeout(_timer);
            StartSecond();
        }
    }

    private void StartSecond()
    {
        _timer = null;
        if (!_outcome.Task.IsCompleted)
        {
            TryNext(_second);
        }
    }

    // A token may fire on any thread.
    private void RequestCancel(CancellationToken token)
        => _loop.AddCallback(() => End(outcome => outcome.TrySetCanceled(token)));

    // The attempts that still go on end in the next turn, when the outcome is known for certain.
    private void End(Func<TaskCompletionSource<TConnection>, bool> decide)
    {
        if (_outcome.Task.IsCompleted)
        {
            return;
        }

        if (_timer is not null)
        {
            _loop.RemoveTimeout(_timer);
            _timer = null;
        }

        _cancellation.Unregister();
        decide(_outcome);
    }
}
