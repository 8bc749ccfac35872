using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests;

/// <summary>For tests that count what the whole process holds: nothing else runs beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class NonParallel
{
    public const string Name = "Counts the process's descriptors";
}

/// <summary>For the contract tests.</summary>
[CollectionDefinition(ContractTest.OneAtATime, DisableParallelization = true)]
public sealed class OneAtATime;
