using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Kestrel;

/// <remarks>
/// <see cref="BaseConnectionContext.ConnectionClosed"/> fires once, on the pool (what hangs on it may block, and must not block a loop), and
/// before dispose returns. When: at the peer's FIN already, because Kestrel and its users count on that; HTTP/1 then gives up the request it
/// is at. Where the endpoint serves clients that finish sending before they read (half-close), the token is held until the whole connection
/// is closed.
/// </remarks>
internal sealed partial class LoopConnection : IHalfCloseFeature, IThreadPoolWorkItem
{
    private const int TokenWaits = 0;
    private const int TokenHeld = 1; // until the socket is closed
    private const int TokenFiring = 2;
    private const int TokenFired = 3;

    private static readonly TaskCompletionSource Finished = MakeFinished();

    private readonly CancellationTokenSource _closedSource = new();
    private CancellationTokenSource? _lateClosedSource;
    private TaskCompletionSource? _finished;
    private int _closedToken;

    /// <summary>
    /// Middleware asks for this, and a quick client may have finished by then. The token that has fired for that is replaced before anybody
    /// behind the middleware has seen it.
    /// </summary>
    void IHalfCloseFeature.AllowHalfClose()
    {
        if (Interlocked.CompareExchange(ref _closedToken, TokenHeld, TokenWaits) is TokenWaits or TokenHeld)
        {
            return;
        }

        var late = new CancellationTokenSource();
        if (!_socketClosed && Interlocked.CompareExchange(ref _lateClosedSource, late, null) is null)
        {
            ConnectionClosed = late.Token;
            if (_socketClosed)
            {
                FireToken(); // the close may have looked for it too early
            }
        }
    }

    private void FireToken() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    void IThreadPoolWorkItem.Execute()
    {
        bool closed = _socketClosed;
        int before = Interlocked.CompareExchange(ref _closedToken, TokenFiring, TokenWaits);
        if (before == TokenHeld && closed)
        {
            before = Interlocked.CompareExchange(ref _closedToken, TokenFiring, TokenHeld) == TokenHeld ? TokenWaits : TokenFiring;
        }

        if (before == TokenWaits)
        {
            Fire(_closedSource);
            Interlocked.Exchange(ref _closedToken, TokenFired); // before the look at the socket, as its close comes before the look at the token
        }

        // Where the peer's FIN fires the token on another thread at this moment, that thread finishes, so that Dispose never returns before
        // the token has fired.
        if (_socketClosed && before is TokenWaits or TokenFired)
        {
            if (_lateClosedSource is { } late)
            {
                Fire(late);
            }

            SetFinished();
        }
    }

    // Made only when somebody waits, or when all is over: most of its life a connection does without.
    private Task WaitFinishedAsync()
    {
        if (Volatile.Read(ref _finished) is null)
        {
            Interlocked.CompareExchange(ref _finished, new TaskCompletionSource(), null);
        }

        return _finished!.Task;
    }

    // On the pool already, and the last thing this work item does: who waits goes on within it.
    private void SetFinished()
    {
        if (Interlocked.CompareExchange(ref _finished, Finished, null) is { } waited)
        {
            waited.TrySetResult();
        }
    }

    private static TaskCompletionSource MakeFinished()
    {
        var finished = new TaskCompletionSource();
        finished.SetResult();
        return finished;
    }

    private void Fire(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (Exception e)
        {
            Logger.ConnectionClosedCallbackFailed(ConnectionId, e); // user code that hung on the token
        }
    }
}
