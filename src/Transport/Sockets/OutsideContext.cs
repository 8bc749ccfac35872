namespace LoopBridge.Sockets;

/// <summary>
/// Takes the synchronization context away until the end of the scope. Sinks are called outside any, but posted work and timeouts run in the
/// loop's, and so does the user code of a sink that closes a socket in mid-call.
/// </summary>
internal readonly ref struct OutsideContext : IDisposable
{
    private readonly SynchronizationContext? _context;

    private OutsideContext(SynchronizationContext? context) => _context = context;

    internal static OutsideContext Enter()
    {
        SynchronizationContext? context = SynchronizationContext.Current;
        if (context is not null)
        {
            SynchronizationContext.SetSynchronizationContext(null);
        }

        return new OutsideContext(context);
    }

    public void Dispose()
    {
        if (_context is not null)
        {
            SynchronizationContext.SetSynchronizationContext(_context);
        }
    }
}
