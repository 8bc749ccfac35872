namespace LoopBridge.Benchmarks;

/// <summary>Something the user must put right before there is anything to measure. The message is printed as it is, without a trace.</summary>
internal sealed class BenchmarkException(string message) : Exception(message);
