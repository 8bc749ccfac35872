namespace LoopBridge.Handlers;

/// <summary>One registered protocol or handler: what it is called, and how to run it on a connection.</summary>
internal sealed record HandlerDescriptor(Type Type, string Name, Func<HandlerRunner, HandlerConnection, Task> RunAsync)
{
    /// <summary>The type's name without the suffix that says what it is: <c>EchoProtocol</c> is <c>Echo</c>.</summary>
    internal static string DefaultName(Type type)
    {
        string name = type.Name;
        foreach (string suffix in (ReadOnlySpan<string>)["Protocol", "LoopHandler", "Handler"])
        {
            if (name.Length > suffix.Length && name.EndsWith(suffix, StringComparison.Ordinal))
            {
                return name[..^suffix.Length];
            }
        }

        return name;
    }
}
