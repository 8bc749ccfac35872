namespace LoopBridge.Protocols;

/// <summary>
/// Protocols where consumers are wanted, and the other way round. Descends from Twisted's <c>ProtocolToConsumerAdapter</c> and
/// <c>ConsumerToProtocolAdapter</c>.
/// </summary>
public static class ProtocolAdapters
{
    /// <summary>
    /// A consumer that gives what is written to <paramref name="protocol"/> as data received. It never has enough: a push producer is never
    /// paused, and a pull producer asked again as soon as it has written.
    /// </summary>
    public static IConsumer AsConsumer(this Protocol protocol)
    {
        ArgumentNullException.ThrowIfNull(protocol);
        return new ProtocolConsumer(protocol);
    }

    /// <summary>
    /// A protocol that writes what it receives to <paramref name="consumer"/>, and is its producer while there is a connection: a consumer
    /// that has enough pauses the transport.
    /// </summary>
    public static Protocol AsProtocol(this IConsumer consumer)
    {
        ArgumentNullException.ThrowIfNull(consumer);
        return new ConsumerProtocol(consumer);
    }

    private sealed class ProtocolConsumer(Protocol protocol) : IConsumer
    {
        private IProducer? _producer;
        private IPullProducer? _pull;
        private bool _wantsMore;
        private bool _asking;

        public void RegisterProducer(IPushProducer producer) => Register(producer);

        public void RegisterProducer(IPullProducer producer)
        {
            Register(producer);
            _pull = producer;
            _wantsMore = true;
            Ask();
        }

        public void UnregisterProducer()
        {
            _producer = null;
            _pull = null;
        }

        public void Write(ReadOnlySpan<byte> data)
        {
            protocol.DataReceived(data);
            _wantsMore = true;
            Ask();
        }

        private void Register(IProducer producer)
        {
            ArgumentNullException.ThrowIfNull(producer);
            if (_producer is not null)
            {
                throw new InvalidOperationException("The consumer has a producer: unregister it before another is registered.");
            }

            _producer = producer;
        }

        // A loop in the place of a recursion: the producer usually writes within the request.
        private void Ask()
        {
            if (_asking)
            {
                return;
            }

            _asking = true;
            try
            {
                while (_wantsMore && _pull is { } pull)
                {
                    _wantsMore = false;
                    pull.ResumeProducing();
                }
            }
            finally
            {
                _asking = false;
            }
        }
    }

    private sealed class ConsumerProtocol(IConsumer consumer) : Protocol
    {
        public override void ConnectionMade() => consumer.RegisterProducer((IPushProducer)Transport);

        public override void DataReceived(ReadOnlySpan<byte> data) => consumer.Write(data);

        public override void ConnectionLost(Exception reason) => consumer.UnregisterProducer();
    }
}
