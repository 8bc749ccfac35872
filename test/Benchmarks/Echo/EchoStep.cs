namespace LoopBridge.Benchmarks.Echo;

/// <summary>What one read brought.</summary>
internal enum EchoStep
{
    Partial, // not all of the message yet
    Whole,   // the message, as it was sent
    Wrong,   // as many bytes, but other ones
    Lost,    // the connection ended or failed
}
