namespace LoopBridge.Benchmarks.Trials.Callbacks;

/// <summary>What one burst cost, per item.</summary>
/// <param name="ItemNanoseconds">From the first post to the last run.</param>
/// <param name="PostNanoseconds">Processor time of the threads that posted.</param>
/// <param name="CpuNanoseconds">Processor time of the whole process.</param>
/// <param name="Bytes">What was allocated, wherever.</param>
internal readonly record struct BurstCost(double ItemNanoseconds, double PostNanoseconds, double CpuNanoseconds, double Bytes);
