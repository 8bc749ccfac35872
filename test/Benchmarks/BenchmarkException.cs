namespace LoopBridge.Benchmarks;

/// <summary>Something the user must put right before there is anything to measure. The message is printed alone.</summary>
internal sealed class BenchmarkException(string message) : Exception(message);
