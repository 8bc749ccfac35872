using System.Net.Sockets;

namespace LoopBridge.Resolvers;

/// <summary>A name and a family that somebody waits for: what identical requests share (D-15).</summary>
internal readonly record struct LookupKey(string Name, AddressFamily Family);

/// <summary>One lookup in line or on a thread, and how many callers wait for it. Its resolver's lock guards the count.</summary>
internal sealed class Lookup
{
    // Callers go on elsewhere: a lookup thread never runs code of theirs.
    private readonly TaskCompletionSource<LookupOutcome> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Lookup(ThreadedResolver resolver, LookupKey key)
    {
        Resolver = resolver;
        Key = key;
        InLine = new(this);
    }

    public ThreadedResolver Resolver { get; }

    public LookupKey Key { get; }

    /// <summary>Its place in the line of <see cref="LookupThreads"/>, whose lock guards it.</summary>
    public LinkedListNode<Lookup> InLine { get; }

    public int Callers { get; set; }

    /// <summary>Ends once and never in failure.</summary>
    public Task<LookupOutcome> Outcome => _outcome.Task;

    /// <summary>Tells all callers. Without effect the second time: dispose may have been first.</summary>
    public void Complete(LookupOutcome outcome) => _outcome.TrySetResult(outcome);
}
