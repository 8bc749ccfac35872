namespace LoopBridge.Drivers;

/// <summary>What a descriptor is, or should be, ready for.</summary>
[Flags]
public enum IoEvents
{
    /// <summary>Nothing. As an interest: errors and hang-ups only, which are always reported.</summary>
    None = 0,

    /// <summary>Something can be read or accepted, or the peer finished sending.</summary>
    Read = 1,

    /// <summary>Something can be written, or a connect has ended.</summary>
    Write = 2,

    /// <summary>The descriptor has a pending error. Reported whatever the interest.</summary>
    Error = 4,

    /// <summary>Both directions are closed. Reported whatever the interest.</summary>
    HangUp = 8,
}
