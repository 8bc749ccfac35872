namespace LoopBridge.Benchmarks.ClosedLoop;

/// <summary>What one read brought.</summary>
internal enum ConnectionStep
{
    Partial, // not all of the answer yet
    Whole,   // the answer, as it should be
    Wrong,   // a whole answer, but another one
    Lost,    // the connection ended or failed
}
