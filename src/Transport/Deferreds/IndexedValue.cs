namespace LoopBridge.Deferreds;

/// <summary>The value of one of several Deferreds, and which one it was.</summary>
/// <typeparam name="T">The type of the value.</typeparam>
/// <param name="Index">Which one, in the order given, from zero.</param>
/// <param name="Value">Its value.</param>
public readonly record struct IndexedValue<T>(int Index, T Value);
