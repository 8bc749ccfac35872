namespace LoopBridge.Drivers;

/// <summary>
/// Does its work for something nearer to the user: a driver for the handler it calls, a socket for its sink, a transport for its protocol.
/// Whoever is told of one of them by the watchdog finds the last of the row. Any thread; may be a moment old.
/// </summary>
internal interface IOnBehalf
{
    /// <summary>The next one, or at last the user's: an object, or a delegate. Null: nobody knows.</summary>
    object? Behalf { get; }

    /// <summary>Which one of its kind it is, if that says anything to the user: a connection's id.</summary>
    string? Label => null;
}
