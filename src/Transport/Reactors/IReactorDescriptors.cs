using LoopBridge.Drivers;

namespace LoopBridge.Reactors;

/// <summary>The descriptors that a reactor watches. Descends from Twisted's <c>IReactorFDSet</c>. Reactor thread.</summary>
public interface IReactorDescriptors
{
    /// <summary>
    /// Calls <see cref="IReadDescriptor.DoRead"/> in each turn in which the descriptor is readable. Does nothing if it is registered so
    /// already. What can be read at any time and cannot be waited for, such as a file, is called in every turn.
    /// </summary>
    /// <exception cref="ArgumentException">It has no valid descriptor.</exception>
    /// <exception cref="InvalidOperationException">Another object reads this descriptor.</exception>
    /// <exception cref="IOException">This kind of descriptor cannot be watched.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed, or the descriptor closed.</exception>
    void AddReader(IReadDescriptor reader);

    /// <summary>
    /// Calls <see cref="IWriteDescriptor.DoWrite"/> in each turn in which the descriptor is writable. Does nothing if it is registered so
    /// already. What can be written at any time and cannot be waited for, such as a file, is called in every turn.
    /// </summary>
    /// <exception cref="ArgumentException">It has no valid descriptor.</exception>
    /// <exception cref="InvalidOperationException">Another object writes this descriptor.</exception>
    /// <exception cref="IOException">This kind of descriptor cannot be watched.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed, or the descriptor closed.</exception>
    void AddWriter(IWriteDescriptor writer);

    /// <summary>
    /// Ends what <see cref="AddReader"/> began, at once: not even what the present turn found is told. Silent for one that is not
    /// registered.
    /// </summary>
    void RemoveReader(IReadDescriptor reader);

    /// <summary>
    /// Ends what <see cref="AddWriter"/> began, at once: not even what the present turn found is told. Silent for one that is not
    /// registered.
    /// </summary>
    void RemoveWriter(IWriteDescriptor writer);

    /// <summary>
    /// Calls <see cref="IEventDescriptor.DoEvents"/> in each turn in which the descriptor is ready for one of <paramref name="events"/>, or
    /// has an error or a hang-up. For one that is registered already, changes what it waits for.
    /// </summary>
    /// <param name="watcher">Has the descriptor to itself: no reader or writer of the same one can be registered.</param>
    /// <param name="events">What it waits for; <see cref="IoEvents.None"/>: errors and hang-ups alone.</param>
    /// <exception cref="ArgumentException">It has no valid descriptor.</exception>
    /// <exception cref="InvalidOperationException">Another object has this descriptor.</exception>
    /// <exception cref="IOException">This kind of descriptor cannot be watched.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed, or the descriptor closed.</exception>
    void AddWatcher(IEventDescriptor watcher, IoEvents events);

    /// <summary>
    /// Ends what <see cref="AddWatcher"/> began, at once: not even what the present turn found is told. Silent for one that is not
    /// registered.
    /// </summary>
    void RemoveWatcher(IEventDescriptor watcher);

    /// <summary>
    /// Removes all readers, writers and watchers without telling them. Connections and ports of the reactor are among them: these deliver
    /// and accept nothing until they are resumed, or started again, and what a connection was given to write still leaves.
    /// </summary>
    /// <returns>The removed ones, each once.</returns>
    IReadOnlyList<IDescriptor> RemoveAll();

    /// <summary>A snapshot of the registered readers, and of the reactor's connections and ports that read now.</summary>
    IReadOnlyList<IReadDescriptor> GetReaders();

    /// <summary>A snapshot of the registered writers, and of the reactor's connections that wait to write.</summary>
    IReadOnlyList<IWriteDescriptor> GetWriters();

    /// <summary>A snapshot of the registered watchers.</summary>
    IReadOnlyList<IEventDescriptor> GetWatchers();
}
