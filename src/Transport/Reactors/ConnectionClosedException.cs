namespace LoopBridge.Reactors;

/// <summary>A connection is closed. Its kinds say how.</summary>
public abstract class ConnectionClosedException : IOException
{
    private protected ConnectionClosedException(string message, Exception? innerException = null) : base(message, innerException)
    {
    }
}

/// <summary>The connection was closed cleanly.</summary>
public sealed class ConnectionDoneException() : ConnectionClosedException("The connection was closed cleanly.");

/// <summary>The connection was closed in any other way.</summary>
public sealed class ConnectionLostException : ConnectionClosedException
{
    /// <summary>The connection was lost for no reason in particular.</summary>
    public ConnectionLostException() : base("The connection was lost.")
    {
    }

    /// <summary>The connection was lost for this reason.</summary>
    public ConnectionLostException(string message, Exception? innerException = null) : base(message, innerException)
    {
    }
}
