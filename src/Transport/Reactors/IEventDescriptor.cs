using LoopBridge.Drivers;

namespace LoopBridge.Reactors;

/// <summary>
/// A descriptor that is told in one call of everything that a poll found about it: for adapters, and for descriptors that are neither read
/// nor written, such as those that only report errors.
/// </summary>
public interface IEventDescriptor : IDescriptor
{
    /// <summary>
    /// Whether it need hear of changes only: once told, it reads or writes until the system would have it wait. The reactor may then leave
    /// out what tells nothing new, which saves the system a look at each descriptor in each turn (epoll(7), EPOLLET), and may tell the end of
    /// the peer's sending as a hang-up. It need not, and where other layers are below it does not. Asked when it is added; changing the
    /// events asked for makes the system look again. Defaults to false.
    /// </summary>
    bool NeedsChangesOnly => false;

    /// <summary>
    /// It is ready for <paramref name="events"/>. Called once in each turn in which it is ready for something that was asked for, and for
    /// errors and hang-ups always: what they mean is for the descriptor to find out, nothing is done about them. Reactor thread.
    /// </summary>
    /// <param name="events">All of it: what was asked for, errors and hang-ups together.</param>
    /// <returns>Null to go on; else why it is lost.</returns>
    Exception? DoEvents(IoEvents events);
}
