namespace LoopBridge.Loops;

/// <summary>How the log names what threw.</summary>
internal static class SourceName
{
    /// <summary>A delegate by its method, anything else as it is.</summary>
    internal static object? Of(object? source)
        => source is Delegate callback ? $"{callback.Method.DeclaringType?.FullName}.{callback.Method.Name}" : source;
}
