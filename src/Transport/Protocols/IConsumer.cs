namespace LoopBridge.Protocols;

/// <summary>
/// Takes bytes and tells a producer when to wait. Descends from Twisted's <c>IConsumer</c>. Everything belongs to the loop's thread.
/// </summary>
public interface IConsumer
{
    /// <summary>
    /// Pauses the producer whenever more than 64 KiB wait to be taken, and resumes it when all of it was. One producer at a time. If the
    /// consumer is gone already, it is stopped at once instead.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is another producer, which stays.</exception>
    void RegisterProducer(IPushProducer producer);

    /// <summary>
    /// Asks the producer for more, now and whenever all that was written was taken. One producer at a time. If the consumer is gone
    /// already, it is stopped at once instead.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is another producer, which stays.</exception>
    void RegisterProducer(IPullProducer producer);

    /// <summary>The producer has written its last byte. Without it a consumer waits for ever. Harmless when there is none.</summary>
    void UnregisterProducer();

    /// <summary>Takes a copy of the bytes.</summary>
    void Write(ReadOnlySpan<byte> data);
}
