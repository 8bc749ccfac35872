namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>Tests that count what the whole process has open, or limit it: nothing else may run beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Solo
{
    public const string Name = "Sockets, one at a time";
}
