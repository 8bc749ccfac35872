namespace LoopBridge.Protocols;

/// <summary>
/// Makes bytes for an <see cref="IConsumer"/>: as <see cref="IPushProducer"/> on its own account, as <see cref="IPullProducer"/> when
/// asked. Descends from Twisted's <c>IProducer</c>. Everything is called on the loop's thread.
/// </summary>
public interface IProducer
{
    /// <summary>Nobody wants more, for good: the consumer was lost or refuses. Nothing follows.</summary>
    void StopProducing();
}

/// <summary>
/// A producer that writes whenever it has something, until it is paused. A transport is one itself, so that one connection can feed
/// another. Descends from Twisted's <c>IPushProducer</c>.
/// </summary>
public interface IPushProducer : IProducer
{
    /// <summary>
    /// The consumer has enough. Called from inside the write that was too much, and again from each that follows all the same.
    /// </summary>
    void PauseProducing();

    /// <summary>The consumer has nothing left, and wants more. Only after a pause.</summary>
    void ResumeProducing();
}

/// <summary>
/// A producer that writes once each time it is asked. It is never paused, however much it writes. Descends from Twisted's
/// <c>IPullProducer</c>.
/// </summary>
public interface IPullProducer : IProducer
{
    /// <summary>
    /// Write now. Called when it is registered, and then each time that what was written has left. One that writes nothing, because what it
    /// waits for has not come, is asked again only after it has written.
    /// </summary>
    void ResumeProducing();
}
