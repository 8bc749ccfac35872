using LoopBridge.Drivers;

namespace LoopBridge.Reactors;

/// <summary>
/// A descriptor that is told in one call of everything that a poll found about it: for adapters, and for descriptors that are neither read
/// nor written, such as those that only report errors.
/// </summary>
public interface IEventDescriptor : IDescriptor
{
    /// <summary>
    /// It is ready for <paramref name="events"/>. Called once in each turn in which it is ready for something that was asked for, and for
    /// errors and hang-ups always: what they mean is for the descriptor to find out, nothing is done about them. Reactor thread.
    /// </summary>
    /// <param name="events">All of it: what was asked for, errors and hang-ups together.</param>
    /// <returns>Null to go on; else why it is lost.</returns>
    Exception? DoEvents(IoEvents events);
}
