using System.Runtime.InteropServices;

namespace LoopBridge.Reactors;

/// <summary>Something with a descriptor that a reactor can watch.</summary>
public interface IDescriptor
{
    /// <summary>
    /// The descriptor. The reactor keeps a reference on it while it is registered, so its number cannot pass to somebody else; once it is
    /// removed, the reactor never asks for it again. One that turns invalid, or into another, while it is registered counts as lost with
    /// its next event.
    /// </summary>
    /// <remarks>
    /// Remove it before closing it: the reference keeps the descriptor open, and a <see cref="System.Net.Sockets.Socket"/> spins in its
    /// own <c>Dispose</c> until all references on its handle are back.
    /// </remarks>
    SafeHandle Handle { get; }

    /// <summary>
    /// It is lost, and no longer registered. Told at most once for one registration: what <c>DoRead</c> or <c>DoWrite</c> returned or
    /// threw, a <see cref="ConnectionDoneException"/> or <see cref="ConnectionLostException"/> on a hang-up, or the latter when the
    /// reactor shuts down. Reactor thread.
    /// </summary>
    void ConnectionLost(Exception reason);
}

/// <summary>A descriptor to be read. Descends from Twisted's <c>IReadDescriptor</c>.</summary>
public interface IReadDescriptor : IDescriptor
{
    /// <summary>There is something to read, or the other side ended. Called in each turn in which that is so. Reactor thread.</summary>
    /// <returns>
    /// Null to go on; else why it is lost. <see cref="ConnectionDoneException"/> at the end of the stream, which an
    /// <see cref="IHalfCloseDescriptor"/> survives for writing.
    /// </returns>
    Exception? DoRead();
}

/// <summary>A descriptor to be written. Descends from Twisted's <c>IWriteDescriptor</c>.</summary>
public interface IWriteDescriptor : IDescriptor
{
    /// <summary>There is room to write, or a connect has ended. Called in each turn in which that is so. Reactor thread.</summary>
    /// <returns>Null to go on; else why it is lost.</returns>
    Exception? DoWrite();
}

/// <summary>
/// A descriptor that goes on writing after the other side has ended. Descends from Twisted's <c>IHalfCloseableDescriptor</c>.
/// </summary>
public interface IHalfCloseDescriptor : IReadDescriptor
{
    /// <summary>
    /// Nothing more will come. It is no longer registered for reading; its writing side stays as it was. Reactor thread.
    /// </summary>
    void ReadConnectionLost(Exception reason);
}
