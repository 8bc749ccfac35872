namespace LoopBridge.Deferreds;

/// <summary>The result of a <see cref="Deferred{T}"/> that says only "done"; what <c>callback(None)</c> is in Twisted.</summary>
public readonly record struct Unit;
