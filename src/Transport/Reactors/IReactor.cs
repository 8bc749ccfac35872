namespace LoopBridge.Reactors;

/// <summary>
/// A reactor: the event loop in the style of Twisted, where objects are called back. Connections, listeners and everything else that
/// speaks a protocol are built on it as extension methods.
/// </summary>
/// <remarks>
/// All it calls is called on its own thread, one thing at a time. An exception that escapes a callback is reported once and never ends
/// the reactor. What belongs to another thread says so; every other member belongs to the reactor's thread, or to any one thread while it
/// does not turn.
/// </remarks>
public interface IReactor : IReactorCore, IReactorTime, IReactorThreads, IReactorDescriptors;
