using System.Buffers;
using System.Text;
using LoopBridge.Protocols;
using LoopBridge.Reactors;

namespace LoopBridge.Manual;

/// <remarks>What the peer does, played by the test, and when the protocol hears of it.</remarks>
public sealed partial class MemoryTransport
{
    // R-CONN-27: what one DataReceived is at most.
    private const int MaxDelivery = 64 * 1024;

    private readonly ArrayBufferWriter<byte> _held = new();
    private bool _isPaused;
    private bool _isDelivering;
    private bool _isResuming;
    private bool _isReadEnding;
    private bool _isReadEnded;

    /// <summary>
    /// The peer sends bytes: the protocol receives them now, or when it is not paused any more. Nothing happens once the connection is
    /// ending, as with any transport.
    /// </summary>
    /// <param name="data">What it sends. To see whether the protocol can be cut anywhere, send one byte at a time.</param>
    /// <exception cref="InvalidOperationException">
    /// The peer has finished, or the protocol is paused and the peer has sent more than <see cref="MemoryTransportOptions.MaxHeldBytes"/>.
    /// </exception>
    /// <exception cref="Exception">What escaped the protocol.</exception>
    public void PeerSends(ReadOnlySpan<byte> data)
    {
        ThrowIfOffLoop();
        if (_isReadEnding)
        {
            throw new InvalidOperationException("The peer has finished: it cannot send any more.");
        }

        if (IsDisconnecting)
        {
            return;
        }

        if ((!IsReceiving || _isDelivering) && _held.WrittenCount + data.Length > _options.MaxHeldBytes)
        {
            throw new InvalidOperationException(
                $"The protocol is paused, and {_held.WrittenCount + data.Length} bytes wait for it; the limit is {_options.MaxHeldBytes}.");
        }

        _held.Write(data);
        Deliver();
    }

    /// <summary>As <see cref="PeerSends(ReadOnlySpan{byte})"/>, in UTF-8.</summary>
    /// <inheritdoc cref="PeerSends(ReadOnlySpan{byte})" path="/exception"/>
    public void PeerSends(string text) => PeerSends(Encoding.UTF8.GetBytes(text));

    /// <summary>
    /// The peer sends no more: the end comes after what the protocol has not received yet. An <see cref="IHalfCloseProtocol"/> hears of it
    /// and goes on writing; for any other the connection ends in order, and it hears of that in a later turn. Harmless when repeated.
    /// </summary>
    public void PeerFinishes()
    {
        ThrowIfOffLoop();
        _isReadEnding = true;
        Deliver();
    }

    /// <summary>The connection breaks, and the protocol hears of it before this returns. Nothing happens if it is gone already.</summary>
    /// <param name="reason">Defaults to a <see cref="ConnectionLostException"/>.</param>
    public void PeerResets(Exception? reason = null)
    {
        ThrowIfOffLoop();
        if (IsConnected)
        {
            IsDisconnecting = true;
            _held.Clear();
            LossReason = IsAborted ? LossReason : reason ?? new ConnectionLostException();
            TellLoss();
        }
    }

    /// <inheritdoc />
    public void PauseProducing()
    {
        ThrowIfOffLoop();
        _isPaused |= !IsDisconnecting;
    }

    /// <inheritdoc />
    public void ResumeProducing()
    {
        ThrowIfOffLoop();
        if (_isPaused && !IsDisconnecting)
        {
            _isPaused = false;
            Resume();
        }
    }

    private bool IsReceiving => !IsPaused && !_isResuming && !IsDisconnecting;

    // In a later turn, also because the caller may stand in the middle of a delivery.
    private void Resume()
    {
        if (!_isResuming)
        {
            _isResuming = true;
            Loop.AddCallback(GoOn);
        }
    }

    private void GoOn()
    {
        _isResuming = false;
        if (IsReceiving)
        {
            Call(_protocol!.ProducingResumed);
            Deliver();
        }
    }

    private void Deliver()
    {
        if (_isDelivering)
        {
            return; // the protocol had the peer send: after what it receives now
        }

        _isDelivering = true;
        try
        {
            while (_held.WrittenCount > 0 && IsReceiving)
            {
                byte[] next = _held.WrittenSpan[..Math.Min(_held.WrittenCount, MaxDelivery)].ToArray();
                byte[] rest = _held.WrittenSpan[next.Length..].ToArray();
                _held.Clear();
                _held.Write(rest);
                Call(() => _protocol!.DataReceived(next));
            }
        }
        finally
        {
            _isDelivering = false;
        }

        if (_isReadEnding && !_isReadEnded && IsReceiving)
        {
            EndReading();
        }
    }

    private void EndReading()
    {
        _isReadEnded = true;
        if (_protocol is IHalfCloseProtocol halfClose)
        {
            Call(halfClose.ReadConnectionLost);
            EndWithBothDirections();
            return;
        }

        BeginEnd(new ConnectionDoneException());
        EndWhenProducerIsDone();
    }
}
