namespace LoopBridge.Testing;

/// <summary>Names the contract row that a test proves; reports count rows by it.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class ContractAttribute(string row) : Attribute
{
    public string Row => row;
}
