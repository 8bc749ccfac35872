namespace LoopBridge.Reactors;

/// <summary>The events that every reactor fires by itself.</summary>
public static class SystemEvents
{
    /// <summary>The reactor starts.</summary>
    public const string Startup = "startup";

    /// <summary>The reactor ends.</summary>
    public const string Shutdown = "shutdown";
}

/// <summary>The phases of a system event, in their order.</summary>
public enum SystemEventPhase
{
    /// <summary>The state is as ever; tasks returned here are waited for.</summary>
    Before,

    /// <summary>
    /// The state has just changed: at the startup the reactor runs; at the shutdown it does not, and its descriptors are disconnected.
    /// </summary>
    During,

    /// <summary>After all of <see cref="During"/>.</summary>
    After,
}
