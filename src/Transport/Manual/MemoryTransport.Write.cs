using System.Buffers;
using System.Text;
using LoopBridge.Protocols;

namespace LoopBridge.Manual;

/// <remarks>What the protocol writes, and who feeds it.</remarks>
public sealed partial class MemoryTransport
{
    private readonly ArrayBufferWriter<byte> _written = new();
    private bool _isWriteEnding;

    /// <summary>
    /// Whether nothing is delivered at present: the protocol has paused, or more is written than the peer has taken
    /// (<see cref="MemoryTransportOptions.HighWater"/>).
    /// </summary>
    public bool IsPaused => _isPaused || IsFull;

    /// <summary>Who is registered as the producer; null if nobody is.</summary>
    public IProducer? Producer { get; private set; }

    /// <summary>Whether the push producer has been paused and not resumed since.</summary>
    public bool IsProducerPaused { get; private set; }

    /// <summary>What the protocol has written and the peer has not taken. A copy.</summary>
    public byte[] Bytes => _written.WrittenSpan.ToArray();

    /// <summary>As <see cref="Bytes"/>, read as UTF-8.</summary>
    public string Text => Encoding.UTF8.GetString(_written.WrittenSpan);

    private bool IsFull => _written.WrittenCount > _options.HighWater;

    private bool MayWrite => IsConnected && !IsAborted && !IsWriteEnded;

    /// <summary>
    /// The peer takes what was written: gives it and forgets it. A producer that waits for that goes on, before this returns.
    /// </summary>
    public byte[] TakeBytes()
    {
        ThrowIfOffLoop();
        byte[] taken = Bytes;
        bool wasFull = IsFull;
        _written.Clear();
        if (taken.Length > 0)
        {
            ResumeProducer();
        }

        if (wasFull && !_isPaused)
        {
            Resume();
        }

        return taken;
    }

    /// <summary>As <see cref="TakeBytes"/>, read as UTF-8.</summary>
    public string TakeText() => Encoding.UTF8.GetString(TakeBytes());

    /// <inheritdoc />
    public void Write(ReadOnlySpan<byte> data)
    {
        ThrowIfOffLoop();
        if (data.IsEmpty || !MayWrite)
        {
            return;
        }

        if (_written.WrittenCount > _options.MaxUntakenBytes)
        {
            Abort(new ConnectionAbortedLocallyException(
                $"The connection was aborted on this side: {_written.WrittenCount} bytes waited for a peer that did not take them, and the "
                + $"limit is {_options.MaxUntakenBytes}."));
            return;
        }

        _written.Write(data);
        if (IsFull && Producer is IPushProducer producer)
        {
            IsProducerPaused = true;
            producer.PauseProducing();
        }
    }

    /// <inheritdoc />
    public void WriteSequence(IEnumerable<ReadOnlyMemory<byte>> data)
    {
        ArgumentNullException.ThrowIfNull(data);
        Write(data.SelectMany(piece => piece.ToArray()).ToArray()); // as one unit: if the enumeration throws, nothing is written
    }

    /// <inheritdoc />
    public void WriteSequence(in ReadOnlySequence<byte> data) => Write(data.ToArray());

    /// <inheritdoc />
    public void RegisterProducer(IPushProducer producer) => TryRegister(producer);

    /// <inheritdoc />
    public void RegisterProducer(IPullProducer producer)
    {
        if (TryRegister(producer))
        {
            producer.ResumeProducing();
        }
    }

    /// <inheritdoc />
    public void UnregisterProducer()
    {
        ThrowIfOffLoop();
        if (Producer is not null)
        {
            Producer = null;
            IsProducerPaused = false;
            EndWhenProducerIsDone();
        }
    }

    /// <inheritdoc />
    public void StopConsuming()
    {
        UnregisterProducer();
        LoseConnection();
    }

    private bool TryRegister(IProducer producer)
    {
        ArgumentNullException.ThrowIfNull(producer);
        ThrowIfOffLoop();
        if (Producer is not null)
        {
            throw new InvalidOperationException(
                $"The transport has a producer, a {Producer.GetType().Name}: unregister it before another is registered.");
        }

        if (!MayWrite || _isLossPosted)
        {
            producer.StopProducing();
            return false;
        }

        Producer = producer;
        return true;
    }

    private void ResumeProducer()
    {
        if (Producer is IPullProducer pull)
        {
            Call(pull.ResumeProducing);
        }
        else if (Producer is IPushProducer push && IsProducerPaused)
        {
            IsProducerPaused = false;
            Call(push.ResumeProducing);
        }
    }
}
