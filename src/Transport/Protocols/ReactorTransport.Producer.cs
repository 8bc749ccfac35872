using LoopBridge.Sockets;

namespace LoopBridge.Protocols;

/// <remarks>
/// Feeding: a producer is held back by how much waits to be sent. Only a transport with one does any of this.
/// </remarks>
internal sealed partial class ReactorTransport
{
    // R-PROD-05, Twisted's FileDescriptor.bufferSize.
    private const long ProducerHighWater = 64 * 1024;

    private IProducer? _producer;
    private bool _producerPushes;
    private bool _producerPaused;

    public void RegisterProducer(IPushProducer producer) => Register(producer, pushes: true);

    public void RegisterProducer(IPullProducer producer)
    {
        if (Register(producer, pushes: false))
        {
            producer.ResumeProducing();
        }
    }

    public void UnregisterProducer()
    {
        if (_producer is null)
        {
            return;
        }

        ThrowIfOffLoop();
        _producer = null;

        // What waited for the producer's last word; the flush of it ends in this turn (R-TCPC-25).
        if ((_disconnecting || _writeEnding) && !_dropsWrites)
        {
            _socket.FinishSending();
        }
    }

    public void StopConsuming()
    {
        UnregisterProducer();
        LoseConnection();
    }

    // All that was sent when it was asked about has left; perhaps more was written meanwhile.
    void ISocketSink.OnSent()
    {
        if (_producer is null || _socket.IsClosing)
        {
            return;
        }

        if (_socket.Unsent > 0)
        {
            _socket.WaitSent(_socket.Flushed);
            return;
        }

        if (_producerPaused || !_producerPushes)
        {
            _producerPaused = false;
            ResumeProducer();
        }
    }

    private bool Register(IProducer producer, bool pushes)
    {
        ArgumentNullException.ThrowIfNull(producer);
        ThrowIfOffLoop();
        if (_producer is not null)
        {
            throw new InvalidOperationException(
                $"The transport has a producer, a {_producer.GetType().Name}: unregister it before another is registered.");
        }

        if (_socket.IsClosing || _writeEnded)
        {
            producer.StopProducing();
            return false;
        }

        _producer = producer;
        _producerPushes = pushes;
        _producerPaused = false;
        return true;
    }

    // After each write: sees to it that the end of the buffer is reported, and pauses who pushes too much. Not within the engine, which
    // knows one mark for all (64 KiB, and half of it to go on): a producer goes on only when nothing is left.
    private void WatchProducer()
    {
        _socket.WaitSent(_socket.Flushed);
        if (_producerPushes && _socket.Unsent > ProducerHighWater)
        {
            _producerPaused = true;
            ((IPushProducer)_producer!).PauseProducing();
        }
    }

    private void ResumeProducer()
    {
        var call = new ProtocolCall(Loop, _ambient);
        try
        {
            if (_producerPushes)
            {
                ((IPushProducer)_producer!).ResumeProducing();
            }
            else
            {
                ((IPullProducer)_producer!).ResumeProducing();
            }
        }
        catch (Exception e)
        {
            Fail(e, nameof(IPullProducer.ResumeProducing)); // user code
        }
        finally
        {
            call.Leave();
        }
    }

    // R-PROD-07: once, and before the protocol hears of the loss. What it throws must not keep that from it.
    private void StopProducer()
    {
        if (_producer is not { } producer)
        {
            return;
        }

        _producer = null;
        try
        {
            producer.StopProducing();
        }
        catch (Exception e)
        {
            Report(e, nameof(IProducer.StopProducing)); // user code
        }
    }
}
