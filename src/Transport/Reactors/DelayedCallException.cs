namespace LoopBridge.Reactors;

/// <summary>A delayed call was to be changed that is no longer to come.</summary>
public abstract class DelayedCallException : InvalidOperationException
{
    private protected DelayedCallException(string message) : base(message)
    {
    }
}

/// <summary>The delayed call has run already, or is running now.</summary>
public sealed class DelayedCallAlreadyCalledException() : DelayedCallException("The delayed call has been called already.");

/// <summary>The delayed call was cancelled before.</summary>
public sealed class DelayedCallAlreadyCancelledException() : DelayedCallException("The delayed call has been cancelled already.");
