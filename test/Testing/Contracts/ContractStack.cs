using Xunit.Sdk;

namespace LoopBridge.Testing;

/// <summary>
/// One way to build what a contract is about, such as the native loop on epoll. A contract test takes one as its argument and runs over
/// all; a kind of contract (loops, reactors) derives its own.
/// </summary>
/// <remarks>Travels by its name, so that each stack is a case of its own in every test explorer.</remarks>
public abstract class ContractStack : IXunitSerializable
{
    /// <summary>What the report calls it: engines from top to bottom, then the driver; for example <c>N/epoll</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Becomes the stack of that name.</summary>
    protected abstract void Become(string name);

    public override string ToString() => Name;

    void IXunitSerializable.Serialize(IXunitSerializationInfo info) => info.AddValue(nameof(Name), Name);

    void IXunitSerializable.Deserialize(IXunitSerializationInfo info) => Become(info.GetValue<string>(nameof(Name))!);
}
