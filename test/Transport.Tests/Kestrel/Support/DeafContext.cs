namespace LoopBridge.Transport.Tests.Kestrel;

/// <summary>A context whose thread never comes round to what is posted.</summary>
internal sealed class DeafContext : SynchronizationContext
{
    public override void Post(SendOrPostCallback d, object? state) => throw new InvalidOperationException("Something needs the caller's thread.");

    public override void Send(SendOrPostCallback d, object? state) => throw new InvalidOperationException("Something needs the caller's thread.");
}
