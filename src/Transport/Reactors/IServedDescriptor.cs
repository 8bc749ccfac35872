namespace LoopBridge.Reactors;

/// <summary>
/// A connection or a port of a reactor. Somebody else watches its descriptor, in a cheaper way than a reactor can; here it is in the
/// reactor's books as if it had been added to it.
/// </summary>
/// <remarks>It is asked only when the books are looked at: what it does between a pause and a resume costs the reactor nothing.</remarks>
internal interface IServedDescriptor : IReadDescriptor, IWriteDescriptor
{
    /// <summary>Whether it reads now, or would if there were something.</summary>
    bool IsReader { get; }

    /// <summary>Whether it waits to write.</summary>
    bool IsWriter { get; }

    /// <summary>It was removed from the books without being told (<see cref="IReactorDescriptors.RemoveAll"/>): it reads no more.</summary>
    void SetAside();
}
