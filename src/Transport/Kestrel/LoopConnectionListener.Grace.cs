namespace LoopBridge.Kestrel;

/// <remarks>
/// When accepting ends Kestrel asks every connection to close, and those that have not begun a request obey at once: of requests that are
/// on their way, or already here and not looked at, half were seen to be lost. So the end shows a moment later where connections have just
/// come: when the application has consumed something of each, and is in a request by then, or at the latest when the grace is over.
/// Silent connections from earlier hold nothing up. A handshake counts as begun with its first bytes.
/// </remarks>
internal sealed partial class LoopConnectionListener
{
    // Those that came within a grace, and those of the time before. The accepting loop's thread.
    private Newcomers? _newest;
    private Newcomers? _earlier;
    private Task _begun = Task.CompletedTask;

    /// <summary>How long the end waits for those who have just come.</summary>
    internal TimeSpan Grace { get; init; }

    // The accepting loop's thread. Null: nobody is going to wait.
    private Newcomers? Admit()
    {
        if (Grace == TimeSpan.Zero)
        {
            return null;
        }

        TimeSpan now = _listener.Loop.Time;
        if (_newest is null || now - _newest.Since > Grace)
        {
            _newest?.Leave();
            _earlier = _newest;
            _newest = new Newcomers(now);
        }

        _newest.Enter(now);
        return _newest;
    }

    // The accepting loop's thread; there are no more to come.
    private void LetGo()
    {
        TimeSpan now = _listener.Loop.Time;
        _newest?.Leave();
        _begun = Task.WhenAll(new[] { _earlier, _newest }.Where(some => now - some?.Last < Grace).Select(some => some!.Begun));
    }

    private async Task EndWhenBegunAsync(CancellationToken cancellationToken)
    {
        // Whether all have begun, the grace is over or the caller in a hurry: the end is the same.
        await _begun.WaitAsync(Grace, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _accepted.Writer.TryComplete();
    }
}
