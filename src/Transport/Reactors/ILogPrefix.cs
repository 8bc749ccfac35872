namespace LoopBridge.Reactors;

/// <summary>
/// A descriptor that names itself in the log: what is logged while the reactor calls it, by its own code and through any logger of the same
/// factory, is in a scope of that name. Descends from Twisted's <c>ILoggingContext</c>.
/// </summary>
/// <remarks>Of use to a reactor that was given a logger. It costs a scope for each call, so it is there for those who ask.</remarks>
public interface ILogPrefix
{
    /// <summary>The name, such as that of the protocol and its peer. Asked for with each call. Reactor thread.</summary>
    string LogPrefix { get; }
}
