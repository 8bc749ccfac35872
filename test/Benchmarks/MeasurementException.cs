namespace LoopBridge.Benchmarks;

/// <summary>One measurement could not be made. It is reported as failed, and the session goes on with the next.</summary>
internal sealed class MeasurementException(string message) : Exception(message);
