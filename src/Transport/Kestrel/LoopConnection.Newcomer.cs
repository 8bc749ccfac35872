namespace LoopBridge.Kestrel;

internal sealed partial class LoopConnection
{
    private Newcomers? _newcomers;

    /// <summary>The listener waits for it as one of these when it ends. Before the connection starts.</summary>
    internal void Join(Newcomers? newcomers) => _newcomers = newcomers;

    /// <summary>The application has consumed something, or has taken the connection over; or it is closed. Any thread.</summary>
    internal void OnBegun() => Interlocked.Exchange(ref _newcomers, null)?.Leave();
}
