using System.Net.Security;
using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Sockets;

/// <remarks>
/// The handshake begins in a turn of its own, so that no callback of the user's runs inside the call that starts it. It runs on the
/// loop, unless it may have to fetch certificates from the network (<see cref="TlsParameters.MayBlock"/>): then on the pool.
/// </remarks>
internal sealed partial class TlsChannel
{
    private readonly TlsParameters _parameters;
    private readonly ITlsObserver _observer;
    private LoopTimeout? _timeLimit;
    private bool _handshaking = true;
    private bool _sendWaits;

    /// <summary>Whether the handshake has succeeded.</summary>
    internal bool IsEstablished { get; private set; }

    /// <summary>What was agreed upon; for when <see cref="IsEstablished"/>.</summary>
    internal SslStream Session => _tls;

    private void BeginHandshake()
    {
        if (_parameters.TimeLimit != Timeout.InfiniteTimeSpan)
        {
            _timeLimit = _below.Loop.CallLater(_parameters.TimeLimit, static channel => ((TlsChannel)channel!).OnTimeLimit(), this);
        }

        if (_parameters.MayBlock)
        {
            _wire.MoveToPool();
            ThreadPool.UnsafeQueueUserWorkItem(static channel => _ = channel.ShakeHandsAsync(), this, preferLocal: false);
        }
        else
        {
            _below.Loop.Post(new HandshakeWork(() => _ = ShakeHandsAsync()));
        }
    }

    private async Task ShakeHandsAsync()
    {
        Exception? failure = null;
        try
        {
            await (_parameters.Server is { } server
                ? _tls.AuthenticateAsServerAsync(server)
                : _tls.AuthenticateAsClientAsync(_parameters.Client!)).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            failure = e; // the observer's to tell
        }

        if (_below.Loop.IsOnLoopThread)
        {
            EndHandshake(failure);
        }
        else if (!_below.Loop.Post(new HandshakeWork(() => EndHandshake(failure))))
        {
            _tls.Dispose(); // the loop was closed, and everybody was told of that
        }
    }

    private void EndHandshake(Exception? failure)
    {
        _handshaking = false;
        if (_timeLimit is not null)
        {
            _below.Loop.RemoveTimeout(_timeLimit);
        }

        _wire.MoveToLoop();
        if (_ended)
        {
            _tls.Dispose();
        }

        if (_closed)
        {
            return;
        }

        using OutsideContext _ = OutsideContext.Enter();
        if (failure is not null)
        {
            Fail(failure);
            _observer.OnHandshakeEnded(Failure);
            return;
        }

        IsEstablished = true;
        _observer.OnHandshakeEnded(failure: null);
        if (_sendWaits && !_closed)
        {
            _sendWaits = false;
            _owner!.OnSendProgress(IoResult.Of(0));
        }

        if (_shutdownWaits && !_closed)
        {
            ShutdownSend(); // nothing was written: else the engine would still be waiting to send it
        }

        if (!_closed)
        {
            _owner!.OnReceivable();
        }
    }

    private void OnTimeLimit()
    {
        if (_handshaking && !_closed)
        {
            using OutsideContext _ = OutsideContext.Enter();
            Fail(new TimeoutException($"The TLS handshake was not done within {_parameters.TimeLimit.TotalSeconds:0.###} s."));
            _observer.OnHandshakeEnded(Failure);
        }
    }

    private sealed class HandshakeWork(Action run) : ILoopWork
    {
        public void Run() => run();
    }
}

/// <summary>Who waits for the end of a handshake.</summary>
internal interface ITlsObserver
{
    /// <summary>
    /// Null: it succeeded. Otherwise the observer has to close the socket over the channel. Once, unless it was closed before; loop thread.
    /// </summary>
    void OnHandshakeEnded(Exception? failure);
}
